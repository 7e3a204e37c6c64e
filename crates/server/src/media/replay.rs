//! A viewer's way from the keyframe that it starts with to what is live.
//!
//! What has been kept of the source is several seconds old at worst. Sent at
//! once with the timestamps that it has, a viewer would play it at its pace and
//! stay that far behind. Sent at once altogether it would be a burst that few
//! networks take. So it is sent as what it is watched as: some times as fast as
//! it was made, its timestamps set just as closely, starting now and ending
//! where it meets the live frames, whose timestamps stay what they are:
//!
//! ```text
//! made:   |first . . . . . . . . . . . . newest . . .|live . . . . .
//! sent:                                 |first...newest..|live . . . . .
//!                                      now           caught up
//! ```
//!
//! To the viewer's jitter buffer each packet comes just when its timestamp says,
//! so it has no reason to add delay, and no frame is too late to be decoded.
//!
//! A keyframe that comes meanwhile is better than the rest: it is there at once,
//! costs no further bytes and leaves nothing to catch up with. So the publisher
//! is asked for one whatever is kept, and what is kept is only what a viewer
//! sees until then, or instead, if the publisher does not answer.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::codec::Kind;
use super::head_start::Group;
use super::packet::MediaPacket;
use super::rewrite::Position;

/// How many times as fast as it was made the group is shown, if that is soon
/// over: a stream's usual rate times this must go through the viewer's network.
const LEAST_SPEED: u32 = 8;

/// Longest time to catch up in. A group that takes more is shown faster.
const LONGEST: Duration = Duration::from_millis(1_500);

/// A publisher that has sent nothing for so long is not waited for.
const LONGEST_STALL: Duration = Duration::from_secs(600);

/// How long after it has caught up the viewer may get late packets of before.
const LATE: Duration = Duration::from_secs(5);

/// What a viewer has yet to be sent of a group, and everything after it.
#[derive(Debug)]
pub(super) struct Replay {
    queue: VecDeque<Arc<MediaPacket>>,
    epoch: u32,
    layer: u8,
    began: Instant,
    tempo: Tempo,
}

/// How timestamps are changed.
#[derive(Debug, Clone, Copy)]
struct Tempo {
    /// The oldest, the keyframe's.
    first: u32,
    /// How many ticks later the live ones start, which stay as they are.
    live_after: u32,
    speed: u32,
    clock_rate: u32,
}

impl Replay {
    /// Starts to show what is kept; `None` if that is nothing.
    pub(super) fn new(group: &Group, now: Instant) -> Option<Self> {
        let (first, newest) = (group.packets().first()?, group.packets().last()?);
        let stall = now.saturating_duration_since(group.arrival()?);
        let span = newest
            .position
            .timestamp
            .wrapping_sub(first.position.timestamp);
        let clock_rate = first.codec.clock_rate();
        Some(Self {
            queue: group.packets().iter().cloned().collect(),
            epoch: first.position.epoch,
            layer: first.layer,
            began: now,
            tempo: Tempo::new(first.position.timestamp, span, stall, clock_rate),
        })
    }

    /// The packet is of the stream that is being caught up with.
    pub(super) fn is_of(&self, packet: &MediaPacket) -> bool {
        packet.kind == Kind::Video
            && (self.epoch, self.layer) == (packet.position.epoch, packet.layer)
    }

    /// There is something yet to be sent before what comes now.
    pub(super) fn is_behind(&self) -> bool {
        !self.queue.is_empty()
    }

    /// Neither is there something to be sent, nor can anything late come.
    pub(super) fn is_over(&self, now: Instant) -> bool {
        self.queue.is_empty() && now > self.began + self.tempo.length() + LATE
    }

    /// Puts a packet behind what is yet to be sent.
    pub(super) fn push(&mut self, packet: Arc<MediaPacket>) {
        self.queue.push_back(packet);
    }

    /// When [`Replay::take_due`] has something.
    pub(super) fn poll_timeout(&self) -> Option<Instant> {
        let next = self.queue.front()?;
        Some(self.began + self.tempo.due(next.position.timestamp))
    }

    /// The next packet, if it is time for it.
    pub(super) fn take_due(&mut self, now: Instant) -> Option<Arc<MediaPacket>> {
        let due = self.poll_timeout().is_some_and(|at| at <= now);
        due.then(|| self.queue.pop_front())?
    }

    /// Gives up what was to be sent before `keyframe`; what is left of it.
    pub(super) fn skip_to(self, keyframe: &MediaPacket) -> VecDeque<Arc<MediaPacket>> {
        let mut left = self.queue;
        left.retain(|p| p.position.sequence > keyframe.position.sequence);
        left
    }

    /// Where a packet of the stream stands in what is shown. The time of its
    /// capture moves with its timestamp, so that sender reports of the two are
    /// those of the live frames all the time.
    pub(super) fn place(&self, at: Position, now: Instant) -> Position {
        let timestamp = self.tempo.shown(at.timestamp);
        let moved = self.tempo.duration(timestamp.wrapping_sub(at.timestamp));
        Position {
            timestamp,
            captured: (at.captured + moved).min(now),
            ..at
        }
    }
}

impl Tempo {
    /// For frames `span` ticks apart, the newest of which came `stall` ago.
    fn new(first: u32, span: u32, stall: Duration, clock_rate: u32) -> Self {
        let ticks = |span: Duration| (span.as_micros() * u128::from(clock_rate) / 1_000_000) as u32;
        // Half of the numbers are back in time: they tell of no span.
        let span = i32::try_from(span).map_or(0, i32::unsigned_abs);
        let behind = span.saturating_add(ticks(stall.min(LONGEST_STALL)));
        let speed = LEAST_SPEED.max(behind / ticks(LONGEST) + 2);
        Self {
            first,
            live_after: behind.saturating_add(behind / (speed - 1)),
            speed,
            clock_rate,
        }
    }

    /// The timestamp that stands for `timestamp`.
    fn shown(self, timestamp: u32) -> u32 {
        let since_first = timestamp.wrapping_sub(self.first);
        match self.live_after.checked_sub(since_first) {
            Some(before_live) => timestamp.wrapping_add(before_live - before_live / self.speed),
            None => timestamp,
        }
    }

    /// How long after the first packet one comes, never longer than it takes to
    /// catch up.
    fn due(self, timestamp: u32) -> Duration {
        let since_first = timestamp.wrapping_sub(self.first).min(self.live_after);
        self.duration(since_first / self.speed)
    }

    /// How long catching up takes.
    fn length(self) -> Duration {
        self.duration(self.live_after / self.speed)
    }

    fn duration(self, ticks: u32) -> Duration {
        let micros = u64::from(ticks) * 1_000_000 / u64::from(self.clock_rate.max(1));
        Duration::from_micros(micros)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::media::config::Config;
    use crate::media::head_start::HeadStart;
    use crate::media::head_start::tests::packet;
    use crate::media::picture::PictureNumbers;

    const RATE: u32 = 90_000;
    const FRAME: u32 = 3_000;
    /// Where the publisher's timestamps are, and wrap.
    const FIRST: u32 = u32::MAX - 10 * FRAME;

    /// A group of as many frames, one each 33 ms, the last of which came
    /// `stall` ago, 40 ms after its capture.
    fn group(frames: u32, stall: Duration) -> (Replay, Instant) {
        let start = Instant::now();
        let at = |frame| start + Duration::from_secs(1) * frame * FRAME / RATE;
        let delay = Duration::from_millis(40);
        let mut head = HeadStart::new(&Config::default());
        for frame in 0..frames {
            let timestamp = FIRST.wrapping_add(frame * FRAME);
            let packet = packet(frame == 0, frame.into(), timestamp, at(frame));
            head.keep(&Arc::new(packet), at(frame) + delay);
        }
        let now = at(frames - 1) + delay + stall;
        (Replay::new(head.best(Some).unwrap(), now).unwrap(), now)
    }

    /// Takes everything out; when each frame came, and its place then.
    fn play(replay: &mut Replay) -> Vec<(Instant, Position)> {
        let mut played = Vec::new();
        while let Some(at) = replay.poll_timeout() {
            let packet = replay.take_due(at).unwrap();
            played.push((at, replay.place(packet.position, at)));
        }
        played
    }

    #[test]
    fn each_frame_comes_when_its_timestamp_says_and_live_ones_as_they_are() {
        for (frames, stall, longest) in [
            (31, 0, 150),
            (91, 0, 450),
            (301, 0, 1_500),
            (31, 20_000, 1_500),
        ] {
            let (mut replay, now) = group(frames, Duration::from_millis(stall));
            // The timestamp that is live now.
            let live = FIRST.wrapping_add((frames - 1) * FRAME + stall as u32 * 90);
            let played = play(&mut replay);
            assert_eq!(played.len(), frames as usize);
            assert_eq!(played[0].0, now, "the first at once");
            for (at, position) in &played {
                let late = at.duration_since(now).as_micros() as u32;
                let shown = position.timestamp.wrapping_sub(live) * 100 / 9;
                assert!(late.abs_diff(shown) < 50, "{late} µs and not {shown}");
                // What is captured now has the timestamp that is live now.
                let age = at.duration_since(position.captured);
                assert!(age.as_millis().abs_diff(40) <= 1, "{age:?}");
            }
            let steps = played.windows(2);
            assert!(
                steps
                    .map(|w| w[1].1.timestamp.wrapping_sub(w[0].1.timestamp))
                    .all(|step| (1..FRAME).contains(&step))
            );
            let took = played[frames as usize - 1].0.duration_since(now);
            assert!(took <= Duration::from_millis(longest), "{took:?}");
            // What is live when it has caught up, and later, is left alone.
            let end = replay.tempo.length();
            for later in [end, end + Duration::from_secs(3)] {
                let timestamp = live.wrapping_add(later.as_micros() as u32 * 9 / 100 + 2);
                let captured = now + later;
                let at = Position {
                    epoch: 0,
                    sequence: 999,
                    timestamp,
                    captured,
                    picture: PictureNumbers::default(),
                };
                assert_eq!(replay.place(at, captured), at);
            }
        }
    }

    #[test]
    fn what_comes_meanwhile_waits_for_its_turn_and_a_keyframe_does_not() {
        let (mut replay, now) = group(61, Duration::ZERO);
        replay.take_due(now).unwrap();
        let next = packet(false, 61, FIRST.wrapping_add(61 * FRAME), now);
        assert!(replay.is_behind() && replay.is_of(&next));
        replay.push(Arc::new(next));
        // A packet of the keyframe has overtaken its first one.
        let keyframe =
            |starts, sequence| packet(starts, sequence, FIRST.wrapping_add(62 * FRAME), now);
        replay.push(Arc::new(keyframe(false, 63)));
        let left = replay.skip_to(&keyframe(true, 62));
        let left: Vec<_> = left.iter().map(|p| p.position.sequence).collect();
        assert_eq!(left, [63]);
    }

    #[test]
    fn it_is_over_once_nothing_late_can_come() {
        let (mut replay, now) = group(61, Duration::ZERO);
        assert!(
            !replay.is_over(now + Duration::from_secs(60)),
            "nothing was sent"
        );
        play(&mut replay);
        assert!(!replay.is_behind() && !replay.is_over(now + Duration::from_secs(1)));
        assert!(replay.is_over(now + Duration::from_secs(6)));
    }

    #[test]
    fn timestamps_without_sense_are_sent_soon() {
        // Back in time; hours on.
        for newest in [FIRST.wrapping_sub(90_000), FIRST.wrapping_add(1 << 30)] {
            let now = Instant::now();
            let mut head = HeadStart::new(&Config::default());
            head.keep(&Arc::new(packet(true, 1, FIRST, now)), now);
            head.keep(&Arc::new(packet(false, 2, newest, now)), now);
            let mut replay = Replay::new(head.best(Some).unwrap(), now).unwrap();
            assert!(replay.take_due(now).is_some());
            assert!(replay.take_due(now + LONGEST).is_some());
        }
    }
}
