//! Little media for a short time, which any machine keeps up with.

use std::time::Duration;

use load::results::MediaShape;
use load::scenario::Timing;

pub(crate) const MEDIA: MediaShape = MediaShape {
    bitrate_bps: 600_000,
    frame_rate: 30,
    keyframe_interval: 30,
    keyframe_factor: 4,
    audio: true,
};

pub(crate) const TIMING: Timing = Timing {
    settle: Duration::from_millis(300),
    measure: Duration::from_secs(1),
    patience: Duration::from_secs(60),
};
