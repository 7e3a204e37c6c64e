//! Stacked bars as SVG: how long each phase of something takes.

use anyhow::Result;
use plotters::coord::ranged1d::Ranged;
use plotters::prelude::*;

use super::axis::{Axis, label};
use super::chart::{Area, COLOURS, FONT, GROUND, HEAD, INK, SIZE, picture, text_width};

/// A bar of several parts.
pub(super) struct Bar {
    pub(super) name: String,
    /// Where each part ends, in rising order.
    pub(super) ends: Vec<f64>,
}

/// Bars below one another, on one axis.
pub(super) struct Bars<'a> {
    pub(super) title: &'a str,
    /// For those who cannot see it: what it shows, in a sentence.
    pub(super) description: &'a str,
    pub(super) unit: &'a str,
    /// What the parts are.
    pub(super) parts: &'a [&'a str],
    pub(super) bars: Vec<Bar>,
}

const LEFT: i32 = 170;
const RIGHT: i32 = SIZE.0 as i32 - 40;
const BOTTOM: i32 = SIZE.1 as i32 - 54;
const TOP: i32 = HEAD as i32 + 6;

impl Bars<'_> {
    /// The SVG; `None` if there is nothing to draw.
    pub(super) fn draw(&self) -> Result<Option<String>> {
        let ends = self.bars.iter().flat_map(|bar| bar.ends.iter().copied());
        if ends.clone().count() == 0 {
            return Ok(None);
        }
        let axis = Axis::of(ends, false);
        let drawn = picture(self.title, self.description, |root| {
            self.draw_keys(root)?;
            self.draw_axis(root, &axis)?;
            let height = (BOTTOM - TOP) / self.bars.len() as i32;
            for (index, bar) in self.bars.iter().enumerate() {
                draw_bar(root, bar, &axis, TOP + height * index as i32, height)?;
            }
            Ok(())
        })?;
        Ok(Some(drawn))
    }

    fn draw_keys(&self, root: &Area<'_>) -> Result<()> {
        let mut left = 16;
        for (index, part) in self.parts.iter().enumerate() {
            root.draw(&Rectangle::new(
                [(left, 47), (left + 14, 61)],
                COLOURS[index].filled(),
            ))?;
            let text = (FONT, 15).into_font().color(&INK);
            root.draw(&Text::new(*part, (left + 19, 47), text))?;
            left += 19 + text_width(part) + 12;
        }
        Ok(())
    }

    fn draw_axis(&self, root: &Area<'_>, axis: &Axis) -> Result<()> {
        use plotters::style::text_anchor::{HPos, Pos, VPos};

        let centred = |size| {
            let text = TextStyle::from((FONT, size).into_font()).color(&INK);
            text.pos(Pos::new(HPos::Center, VPos::Top))
        };
        for tick in axis.ticks() {
            let x = pixel(axis, *tick);
            let line = [(x, TOP - 4), (x, BOTTOM + 4)];
            root.draw(&PathElement::new(line, INK.mix(0.2)))?;
            root.draw(&Text::new(label(*tick), (x, BOTTOM + 8), centred(15)))?;
        }
        let middle = (LEFT + RIGHT) / 2;
        root.draw(&Text::new(self.unit, (middle, BOTTOM + 30), centred(16)))?;
        Ok(())
    }
}

fn pixel(axis: &Axis, value: f64) -> i32 {
    axis.map(&value, (LEFT, RIGHT))
}

fn draw_bar(root: &Area<'_>, bar: &Bar, axis: &Axis, top: i32, height: i32) -> Result<()> {
    let (upper, lower) = (top + height / 6, top + height - height / 6);
    let mut from = pixel(axis, 0.0);
    for (index, end) in bar.ends.iter().enumerate() {
        // Medians of phases may swap where they are close.
        let to = pixel(axis, *end).max(from);
        let corners = [(from, upper), (to, lower)];
        root.draw(&Rectangle::new(corners, COLOURS[index].filled()))?;
        // A thin gap of the ground tells neighbours apart without colours, too.
        root.draw(&PathElement::new(
            [(to, upper), (to, lower)],
            GROUND.stroke_width(1),
        ))?;
        from = to;
    }
    let text = (FONT, 15).into_font().color(&INK);
    root.draw(&Text::new(
        bar.name.as_str(),
        (16, (upper + lower) / 2 - 7),
        text,
    ))?;
    Ok(())
}
