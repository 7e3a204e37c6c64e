//! Line charts as SVG: on a ground of their own, so that they can be read on light and
//! dark pages, in colours that the colour-blind can tell apart, each line with a mark
//! of its own.

use anyhow::{Result, anyhow};
use plotters::coord::Shift;
use plotters::prelude::*;

use super::axis::{Axis, label};

/// Width and height in pixels.
pub(super) const SIZE: (u32, u32) = (720, 420);
pub(super) const GROUND: RGBColor = RGBColor(0xff, 0xff, 0xff);
pub(super) const INK: RGBColor = RGBColor(0x24, 0x29, 0x2f);
const GRID: RGBColor = RGBColor(0xd8, 0xde, 0xe4);
/// Generic, so that it needs no font file here and is there wherever it is read.
pub(super) const FONT: &str = "sans-serif";

/// Okabe and Ito's palette, without its yellow, which is hard to see on white.
pub(super) const COLOURS: [RGBColor; 6] = [
    RGBColor(0x00, 0x72, 0xb2),
    RGBColor(0xd5, 0x5e, 0x00),
    RGBColor(0x00, 0x9e, 0x73),
    RGBColor(0xcc, 0x79, 0xa7),
    RGBColor(0x56, 0xb4, 0xe9),
    RGBColor(0xe6, 0x9f, 0x00),
];

/// What is plotted.
pub(super) struct Chart<'a> {
    pub(super) title: &'a str,
    /// For those who cannot see it: what it shows, in a sentence.
    pub(super) description: &'a str,
    pub(super) x: &'a str,
    pub(super) x_is_log: bool,
    pub(super) y: &'a str,
    pub(super) y_is_log: bool,
    pub(super) lines: Vec<Line>,
}

/// One line of it.
pub(super) struct Line {
    pub(super) name: String,
    /// Index of its colour and mark.
    pub(super) colour: usize,
    pub(super) style: Style,
    pub(super) points: Vec<(f64, f64)>,
}

/// How a line is drawn.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Style {
    /// With a mark at each point.
    Marked,
    /// Without marks: for many points.
    Plain,
    /// In dashes, with hollow marks: for what stands beside another line.
    Dashed,
    /// A bound, in dashes and without marks.
    Bound,
}

type Plot<'a, 'b> = ChartContext<'a, SVGBackend<'b>, Cartesian2d<Axis, Axis>>;
pub(super) type Area<'b> = DrawingArea<SVGBackend<'b>, Shift>;

impl Chart<'_> {
    /// The SVG; `None` if there is nothing to draw.
    pub(super) fn draw(&self) -> Result<Option<String>> {
        let lines: Vec<Line> = self.lines.iter().map(|line| self.drawable(line)).collect();
        let points = || lines.iter().flat_map(|line| &line.points);
        if points().count() == 0 {
            return Ok(None);
        }
        let x = Axis::of(points().map(|point| point.0), self.x_is_log);
        let y = Axis::of(points().map(|point| point.1), self.y_is_log);
        let drawn = picture(self.title, self.description, |root| {
            let keys = lines.iter().filter(|line| !line.points.is_empty());
            let keys: Vec<Key<'_>> = keys
                .map(|line| (line.name.as_str(), line.colour, line.style))
                .collect();
            draw_keys(root, &keys)?;
            let mut plot = self.axes(root, x, y)?;
            lines
                .iter()
                .try_for_each(|line| draw_line(root, &mut plot, line))
        })?;
        Ok(Some(drawn))
    }

    /// Without points that have no place on a logarithmic axis.
    fn drawable(&self, line: &Line) -> Line {
        let has_place = |(x, y): &&(f64, f64)| {
            x.is_finite()
                && y.is_finite()
                && !(self.x_is_log && *x <= 0.0)
                && !(self.y_is_log && *y <= 0.0)
        };
        Line {
            name: line.name.clone(),
            points: line.points.iter().filter(has_place).copied().collect(),
            ..*line
        }
    }

    fn axes<'a, 'b>(&self, root: &'a Area<'b>, x: Axis, y: Axis) -> Result<Plot<'a, 'b>> {
        let mut plot = ChartBuilder::on(root)
            .margin_top(HEAD)
            .margin_right(24)
            .margin_bottom(8)
            .margin_left(8)
            .x_label_area_size(46)
            .y_label_area_size(64)
            .build_cartesian_2d(x, y)?;
        plot.configure_mesh()
            .x_desc(self.x)
            .y_desc(self.y)
            .x_label_formatter(&|value| label(*value))
            .y_label_formatter(&|value| label(*value))
            .bold_line_style(GRID)
            .light_line_style(GRID)
            .axis_style(INK)
            .label_style((FONT, 15).into_font().color(&INK))
            .axis_desc_style((FONT, 16).into_font().color(&INK))
            .draw()?;
        Ok(plot)
    }
}

/// Room for the title and the keys above the plot.
pub(super) const HEAD: u32 = 70;

/// A ground with a title, and on it what `draw` adds. The title and the description are
/// told to screen readers, too.
pub(super) fn picture(
    title: &str,
    description: &str,
    draw: impl FnOnce(&Area<'_>) -> Result<()>,
) -> Result<String> {
    let mut svg = String::new();
    {
        let root = SVGBackend::with_string(&mut svg, SIZE).into_drawing_area();
        root.fill(&GROUND)?;
        let style = (FONT, 21).into_font().style(FontStyle::Bold).color(&INK);
        root.draw(&Text::new(title, (16, 14), style))?;
        draw(&root)?;
        root.present()?;
    }
    let (start, rest) = svg
        .split_once('>')
        .ok_or_else(|| anyhow!("the plot has no beginning"))?;
    Ok(format!(
        "{start} role=\"img\">\n<title>{}</title>\n<desc>{}</desc>{rest}",
        escaped(title),
        escaped(description)
    ))
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;")
}

/// A line's name, colour and style.
pub(super) type Key<'a> = (&'a str, usize, Style);

/// The keys in a row below the title.
fn draw_keys(root: &Area<'_>, keys: &[Key<'_>]) -> Result<()> {
    const HEIGHT: i32 = 54;
    let mut left = 16;
    for (name, colour, style) in keys {
        let (from, to) = ((left, HEIGHT), (left + 30, HEIGHT));
        let ink = ink(*colour, *style);
        match style {
            Style::Marked | Style::Plain => root.draw(&PathElement::new([from, to], ink))?,
            Style::Dashed | Style::Bound => {
                for dash in [left, left + 11, left + 22] {
                    root.draw(&PathElement::new([(dash, HEIGHT), (dash + 7, HEIGHT)], ink))?;
                }
            }
        }
        draw_mark(root, (left + 15, HEIGHT), *colour, *style)?;
        let text = (FONT, 16).into_font().color(&INK);
        root.draw(&Text::new(*name, (left + 36, HEIGHT - 7), text))?;
        left += 36 + text_width(name) + 18;
    }
    Ok(())
}

/// About how wide a text of the keys' size is, in pixels.
pub(super) fn text_width(text: &str) -> i32 {
    7 * text.chars().count() as i32
}

fn ink(colour: usize, style: Style) -> ShapeStyle {
    let width = match style {
        Style::Marked | Style::Plain => 2,
        Style::Dashed | Style::Bound => 1,
    };
    let colour = match style {
        Style::Bound => INK,
        Style::Marked | Style::Plain | Style::Dashed => COLOURS[colour % COLOURS.len()],
    };
    colour.stroke_width(width)
}

fn draw_line(root: &Area<'_>, plot: &mut Plot<'_, '_>, line: &Line) -> Result<()> {
    let points = || line.points.iter().copied();
    let ink = ink(line.colour, line.style);
    match line.style {
        Style::Marked | Style::Plain => {
            plot.draw_series(LineSeries::new(points(), ink))?;
        }
        Style::Dashed | Style::Bound => {
            plot.draw_series(DashedLineSeries::new(points(), 7, 4, ink))?;
        }
    }
    // On the whole picture, since the plot's own area would cut marks on its edge.
    for point in &line.points {
        let place = plot.backend_coord(point);
        draw_mark(root, place, line.colour, line.style)?;
    }
    Ok(())
}

/// A shape for each colour; hollow in dashed lines.
fn draw_mark(area: &Area<'_>, at: (i32, i32), colour: usize, style: Style) -> Result<()> {
    let ink = COLOURS[colour % COLOURS.len()];
    let fill = match style {
        Style::Marked => ink.filled(),
        Style::Dashed => GROUND.filled(),
        Style::Plain | Style::Bound => return Ok(()),
    };
    let outline = ink.stroke_width(1);
    let (x, y) = at;
    match colour % 3 {
        0 => {
            area.draw(&Circle::new(at, 4, fill))?;
            area.draw(&Circle::new(at, 4, outline))?;
        }
        1 => {
            let corners = [(x - 4, y - 4), (x + 4, y + 4)];
            area.draw(&Rectangle::new(corners, fill))?;
            area.draw(&Rectangle::new(corners, outline))?;
        }
        _ => {
            let corners = vec![(x, y - 5), (x + 5, y + 4), (x - 5, y + 4), (x, y - 5)];
            area.draw(&Polygon::new(corners.clone(), fill))?;
            area.draw(&PathElement::new(corners, outline))?;
        }
    }
    Ok(())
}
