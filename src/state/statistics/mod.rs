//! What the played stream does, in numbers: pure arithmetic over samples of
//! `getStats()`, the times of presented frames and the server's own counts.
//!
//! Deliberately absent: the browser. Whoever samples it is in `platform`, and
//! whoever draws it is in `components`.

mod delay;
mod figures;
mod first_frame;
mod frames;
mod plot;
mod quality;
mod record;
mod report;
mod sample;
mod strip_search;
mod units;

pub use delay::{Delay, DelaySource, Split};
pub use figures::Figures;
pub use first_frame::FirstFrame;
pub use frames::{Frame, FrameLog, FrameTimes};
pub use plot::{Plot, Scale};
pub use quality::{Quality, QualityMeter};
pub use record::{Overview, Point, Record};
pub use report::{About, bug_report, without_secrets};
pub use sample::{Inbound, Path, Sample, SenderReport};
pub use strip_search::StripSearch;
pub use units::{bitrate, decimal, millis, percent};
