//! The last minute of a play.

use core::time::Duration;
use std::collections::VecDeque;
use std::rc::Rc;

use super::plot::{Plot, SPAN_MS, Series};
use super::{
    Delay, Figures, FrameTimes, Quality, QualityMeter, Sample, Split, bitrate, decimal, millis,
    percent,
};

/// Points kept: one a second for the minute that is drawn, and its first.
const CAPACITY: usize = (SPAN_MS / 1_000.0) as usize + 1;

/// One second.
#[derive(Debug, Clone, PartialEq)]
pub struct Point {
    /// From capture to display, by the capture clock.
    pub delay: Option<Delay>,
    /// The same by the picture's strip, where the publisher's clock is right.
    pub strip_ms: Option<f64>,
    /// Where the delay's time goes.
    pub split: Split,
    /// Rates since the second before.
    pub figures: Figures,
    /// What they are made of.
    pub sample: Sample,
}

/// The last minute, and what takes longer than a second to know.
#[derive(Debug, Default)]
pub struct Record {
    points: VecDeque<Rc<Point>>,
    quality: QualityMeter,
}

/// All the panel shows but the first frame.
#[derive(Debug, Clone, PartialEq)]
pub struct Overview {
    /// The last second.
    pub latest: Rc<Point>,
    /// Share of the picture's packets lost in the last minute, 0 to 1.
    pub loss: Option<f64>,
    /// The server's count against ours; `None` while the server tells none.
    pub quality: Option<Quality>,
    /// The last minute, drawn.
    pub plots: Vec<Plot>,
}

impl Record {
    /// Takes the sample of a second and the frames of that second.
    pub fn handle_sample(&mut self, sample: Sample, frames: &FrameTimes) -> Rc<Point> {
        let before = self.points.back().map(|point| &point.sample);
        let figures = Figures::between(before, &sample);
        let delay = Delay::of(frames, &sample);
        let strip_ms = frames.strip_ms;
        let total_ms = delay.map(|delay| delay.ms).or(strip_ms);
        let point = Rc::new(Point {
            delay,
            strip_ms,
            split: Split::of(total_ms, frames, &figures),
            figures,
            sample,
        });
        if self.points.len() == CAPACITY {
            self.points.pop_front();
        }
        self.points.push_back(point.clone());
        point
    }

    /// Takes what the server sent in the last second, in bits a second of
    /// video. Nothing is compared before our own first rate.
    pub fn handle_server_rate(&mut self, server_bps: f64) {
        let Some(latest) = self.points.back() else {
            return;
        };
        if let Some(client_bps) = latest.figures.bitrate_bps {
            let now = page_time(latest);
            self.quality.handle_rates(server_bps, client_bps, now);
        }
    }

    /// The points, oldest first.
    pub fn points(&self) -> impl Iterator<Item = &Rc<Point>> {
        self.points.iter()
    }

    /// What the panel shows; `None` before the first sample.
    pub fn overview(&self) -> Option<Overview> {
        let latest = self.points.back()?;
        // The first samples of a play are from before its first packet.
        let oldest = self
            .points
            .iter()
            .find(|point| point.sample.video.packets.is_some());
        Some(Overview {
            latest: latest.clone(),
            loss: Figures::between(oldest.map(|point| &point.sample), &latest.sample).loss,
            quality: self.quality.quality(page_time(latest)),
            plots: self.plots(latest.sample.at_ms),
        })
    }

    fn plots(&self, now_ms: f64) -> Vec<Plot> {
        let series = |value: fn(&Point) -> Option<f64>| -> Series {
            let points = self.points.iter();
            points
                .map(|point| (point.sample.at_ms, value(point)))
                .collect()
        };
        let plot =
            |title, value, least, write| Plot::of(title, now_ms, &[series(value)], least, write);
        let delays = [
            series(|point| point.delay.map(|delay| delay.ms)),
            series(|point| point.strip_ms),
        ];
        vec![
            Plot::of("Delay", now_ms, &delays, 100.0, millis).dotted("strip"),
            plot("Frames a second", |p| p.figures.frame_rate, 10.0, decimal),
            plot("Bitrate", |p| p.figures.bitrate_bps, 100_000.0, bitrate),
            plot("Jitter", |p| p.figures.jitter_ms, 20.0, millis),
            plot("Loss", |p| p.figures.loss, 0.02, percent),
            plot("Buffer", |p| p.figures.buffer_ms, 50.0, millis),
        ]
    }
}

fn page_time(point: &Point) -> Duration {
    Duration::try_from_secs_f64(point.sample.at_ms / 1_000.0).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::super::Inbound;
    use super::*;

    fn sample(second: f64) -> Sample {
        Sample {
            at_ms: second * 1_000.0,
            video: Inbound {
                timestamp_ms: Some(second * 1_000.0),
                bytes: Some(second * 125_000.0),
                packets: Some(second * 99.0),
                packets_lost: Some(second),
                ..Inbound::default()
            },
            ..Sample::default()
        }
    }

    fn record(seconds: u32) -> Record {
        let mut record = Record::default();
        for second in 0..seconds {
            record.handle_sample(sample(f64::from(second)), &FrameTimes::default());
        }
        record
    }

    #[test]
    fn keeps_a_minute() {
        assert_eq!(record(0).overview(), None);
        let record = record(500);
        assert_eq!(record.points().count(), CAPACITY);
        let overview = record.overview().unwrap();
        assert_eq!(overview.latest.sample.at_ms, 499_000.0);
        assert_eq!(overview.loss, Some(0.01));
        let bitrate = &overview.plots[2];
        assert_eq!(bitrate.now, "1.0 Mbit/s");
        let line = &bitrate.lines[0][0];
        assert_eq!(line.split(' ').count(), CAPACITY);
        assert!(line.starts_with("0,") && line.contains(" 600,"), "{line}");
    }

    #[test]
    fn the_strip_will_do_for_the_split_but_is_not_the_delay() {
        let frames = FrameTimes {
            strip_ms: Some(50.0),
            display_ms: Some(20.0),
            ..FrameTimes::default()
        };
        let mut with_path = sample(1.0);
        with_path.path.round_trip_ms = Some(10.0);
        let point = Record::default().handle_sample(with_path, &frames);
        assert_eq!((point.delay, point.strip_ms), (None, Some(50.0)));
        assert_eq!(point.split.upstream_ms, Some(25.0));
    }

    #[test]
    fn quality_needs_both_counts() {
        let mut record = record(1);
        record.handle_server_rate(1e6);
        assert_eq!(record.overview().unwrap().quality, None);
        record.handle_sample(sample(1.0), &FrameTimes::default());
        record.handle_server_rate(1e6);
        let quality = record.overview().unwrap().quality;
        assert_eq!(quality, Some(Quality::Perfect));
    }
}
