//! Which sound a microphone shall bring, and what is made of it.

use std::cmp::Reverse;

use super::{Channels, Wanted};
use crate::SAMPLE_RATE;

/// The rates a source may deliver.
const RATES: (u32, u32) = (8_000, 192_000);

/// Most channels a microphone is opened with.
const CHANNELS: u16 = 8;

/// A kind of sound that a microphone offers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Offer<F> {
    pub(super) channels: u16,
    pub(super) min_rate: u32,
    pub(super) max_rate: u32,
    /// The sample's format, and its rank: the lowest first.
    pub(super) format: (u8, F),
}

/// The offer that needs the least to be made what is wanted, and the rate to
/// take it at.
pub(super) fn choose<F: Copy>(offers: &[Offer<F>], wanted: Wanted) -> Option<(Offer<F>, u32)> {
    let (Channels::AtMost(channels) | Channels::Exactly(channels)) = wanted.channels;
    let usable = |offer: &Offer<F>| {
        let can_be_wanted = wanted
            .rate
            .is_none_or(|rate| (offer.min_rate..=offer.max_rate).contains(&rate));
        let (least, most) = RATES;
        let in_range = offer.min_rate <= most && offer.max_rate >= least;
        can_be_wanted && in_range && (1..=CHANNELS).contains(&offer.channels)
    };
    let rate = |offer: &Offer<F>| {
        let wanted = wanted.rate.unwrap_or(SAMPLE_RATE);
        wanted.clamp(offer.min_rate, offer.max_rate)
    };
    let best = offers
        .iter()
        .filter(|offer| usable(offer))
        .min_by_key(|offer| {
            // Channels too many are left out; those missing cannot be made up.
            let missing = Reverse(offer.channels.min(channels));
            let distance = rate(offer).abs_diff(SAMPLE_RATE);
            (missing, offer.channels, distance, offer.format.0)
        })?;
    Some((*best, rate(best)))
}

/// How many channels to deliver of a microphone that brings `has`.
pub(super) fn delivered(has: u16, wanted: Channels) -> u16 {
    match wanted {
        Channels::AtMost(channels) => channels.min(has),
        Channels::Exactly(channels) => channels,
    }
}

/// Makes samples of `has` channels ones of `wanted`, 1 or 2. One is the mean of
/// the first two; of more than two the others are left out, which are those of
/// microphone arrays and mixing desks. Two of one are twice the same.
pub(super) fn with_channels(samples: Vec<i16>, has: u16, wanted: u16) -> Vec<i16> {
    let frames = samples.chunks_exact(usize::from(has).max(1));
    match (has, wanted) {
        _ if has == wanted => samples,
        (1, _) => samples.iter().flat_map(|sample| [*sample; 2]).collect(),
        (_, 1) => frames
            .map(|frame| ((i32::from(frame[0]) + i32::from(frame[1])) / 2) as i16)
            .collect(),
        _ => frames.flat_map(|frame| [frame[0], frame[1]]).collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn offer(channels: u16, rates: (u32, u32), rank: u8) -> Offer<()> {
        Offer {
            channels,
            min_rate: rates.0,
            max_rate: rates.1,
            format: (rank, ()),
        }
    }

    fn check(offers: &[Offer<()>], wanted: Wanted, expected: Option<(usize, u32)>) {
        let chosen = choose(offers, wanted);
        let expected = expected.map(|(index, rate)| (offers[index], rate));
        assert_eq!(chosen, expected, "{wanted:?}");
    }

    const MONO: Wanted = Wanted {
        rate: None,
        channels: Channels::AtMost(1),
    };
    const STEREO: Wanted = Wanted {
        rate: None,
        channels: Channels::AtMost(2),
    };

    #[test]
    fn what_needs_the_least_change_is_taken() {
        let offers = [
            offer(2, (44_100, 96_000), 0),
            offer(1, (44_100, 44_100), 1),
            offer(1, (44_100, 48_000), 1),
            offer(1, (44_100, 48_000), 0),
            offer(6, (48_000, 48_000), 0),
        ];
        check(&offers, MONO, Some((3, 48_000)));
        check(&offers, STEREO, Some((0, 48_000)));
        check(&offers[1..2], STEREO, Some((0, 44_100)));
        check(&offers[4..], MONO, Some((0, 48_000)));
        check(&offers[4..], STEREO, Some((0, 48_000)));
    }

    #[test]
    fn what_no_source_may_deliver_is_left_alone() {
        check(&[], MONO, None);
        check(&[offer(1, (4_000, 6_000), 0)], MONO, None);
        check(&[offer(1, (384_000, 384_000), 0)], MONO, None);
        check(
            &[offer(0, (48_000, 48_000), 0), offer(9, (48_000, 48_000), 0)],
            MONO,
            None,
        );
        check(&[offer(1, (1, u32::MAX), 0)], MONO, Some((0, 48_000)));
    }

    #[test]
    fn once_open_the_rate_stays() {
        let again = Wanted {
            rate: Some(44_100),
            channels: Channels::Exactly(2),
        };
        check(&[offer(1, (44_100, 48_000), 0)], again, Some((0, 44_100)));
        check(&[offer(2, (48_000, 48_000), 0)], again, None);
    }

    #[test]
    fn channels_are_made_what_is_wanted() {
        let check = |samples: &[i16], has, wanted, expected: &[i16]| {
            assert_eq!(with_channels(samples.to_vec(), has, wanted), expected);
        };
        check(&[1, 2, 3], 1, 1, &[1, 2, 3]);
        check(&[1, 2, 3, 4], 2, 2, &[1, 2, 3, 4]);
        check(&[10, 20, i16::MAX, i16::MAX], 2, 1, &[15, i16::MAX]);
        check(&[1, 2], 1, 2, &[1, 1, 2, 2]);
        check(&[1, 2, 9, 9, 3, 4, 9, 9], 4, 2, &[1, 2, 3, 4]);
        check(&[1, 3, 9, 5, 7, 9], 3, 1, &[2, 6]);
        // What is no whole frame is dropped.
        check(&[1, 3, 9], 2, 1, &[2]);
        assert_eq!(delivered(1, Channels::AtMost(2)), 1);
        assert_eq!(delivered(6, Channels::AtMost(2)), 2);
        assert_eq!(delivered(1, Channels::Exactly(2)), 2);
    }
}
