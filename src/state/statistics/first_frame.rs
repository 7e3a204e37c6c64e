//! How long the first picture took, step by step.

use super::Frame;
use crate::platform::peer::Milestones;

/// How long each step took, in milliseconds, in their order. `None` is not
/// done yet, or unknown.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct FirstFrame {
    /// From the press to the server's answer.
    pub signalling_ms: Option<f64>,
    /// From the answer to a working pair of candidates (RFC 8445).
    pub ice_ms: Option<f64>,
    /// From there to the end of the DTLS handshake (RFC 5764).
    pub dtls_ms: Option<f64>,
    /// From there to the first packet of the picture.
    pub packet_ms: Option<f64>,
    /// From there until the first keyframe was complete.
    pub keyframe_ms: Option<f64>,
    /// From there until it was on the screen.
    pub paint_ms: Option<f64>,
    /// From the press to the first picture on the screen.
    pub total_ms: Option<f64>,
}

impl FirstFrame {
    /// The steps out of their times. Browsers tell of some steps later than of
    /// the one that follows; such a step ends with the one after it.
    pub fn of(steps: &Milestones, first: Option<Frame>) -> Self {
        let keyframe = first.and_then(|frame| frame.received_ms);
        let paint = first.map(|frame| frame.shown_ms);
        let ends = [
            steps.answered_ms,
            steps.ice_ms,
            steps.dtls_ms,
            steps.first_packet_ms,
            keyframe,
            paint,
        ];
        let mut lengths = [None; 6];
        let mut begin = steps.created_ms;
        for (index, length) in lengths.iter_mut().enumerate() {
            let latest = ends[index + 1..].iter().flatten().copied();
            let Some(end) = ends[index] else { continue };
            let end = latest.fold(end, f64::min).max(begin);
            *length = Some(end - begin);
            begin = end;
        }
        let [
            signalling_ms,
            ice_ms,
            dtls_ms,
            packet_ms,
            keyframe_ms,
            paint_ms,
        ] = lengths;
        Self {
            signalling_ms,
            ice_ms,
            dtls_ms,
            packet_ms,
            keyframe_ms,
            paint_ms,
            total_ms: paint.map(|paint| paint - steps.created_ms),
        }
    }

    /// The steps in their order, with their names.
    pub fn parts(&self) -> [(&'static str, Option<f64>); 6] {
        [
            ("Signalling", self.signalling_ms),
            ("ICE", self.ice_ms),
            ("DTLS", self.dtls_ms),
            ("First packet", self.packet_ms),
            ("First keyframe", self.keyframe_ms),
            ("First paint", self.paint_ms),
        ]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const STEPS: Milestones = Milestones {
        created_ms: 1_000.0,
        offered_ms: Some(1_010.0),
        answered_ms: Some(1_030.0),
        ice_ms: Some(1_050.0),
        dtls_ms: Some(1_090.0),
        first_packet_ms: Some(1_100.0),
    };

    fn frame(received_ms: Option<f64>) -> Option<Frame> {
        Some(Frame {
            shown_ms: 1_150.0,
            received_ms,
            captured_ms: None,
        })
    }

    fn check(steps: Milestones, first: Option<Frame>, expected: [Option<f64>; 6]) {
        let first_frame = FirstFrame::of(&steps, first);
        assert_eq!(first_frame.parts().map(|(_, ms)| ms), expected);
    }

    #[test]
    fn all_steps() {
        let steps = [30.0, 20.0, 40.0, 10.0, 20.0, 30.0].map(Some);
        check(STEPS, frame(Some(1_120.0)), steps);
        let total = FirstFrame::of(&STEPS, frame(Some(1_120.0))).total_ms;
        assert_eq!(total, Some(150.0));
    }

    #[test]
    fn steps_told_late_end_with_the_next() {
        let late = Milestones {
            first_packet_ms: Some(1_140.0),
            ..STEPS
        };
        let steps = [30.0, 20.0, 40.0, 30.0, 0.0, 30.0].map(Some);
        check(late, frame(Some(1_120.0)), steps);
    }

    #[test]
    fn unknown_steps_join_the_one_after_them() {
        let (a, b) = (Some(30.0), Some(20.0));
        check(
            STEPS,
            frame(None),
            [a, b, Some(40.0), Some(10.0), None, Some(50.0)],
        );
        let none = Milestones {
            created_ms: 1_000.0,
            ..Milestones::default()
        };
        check(none, None, [None; 6]);
        assert_eq!(FirstFrame::of(&none, None).total_ms, None);
    }
}
