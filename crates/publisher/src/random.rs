//! Chance for ids and waits. None of it is secret, so the random keys of the
//! standard library's hash maps are good enough.

use std::collections::hash_map::RandomState;
use std::hash::{BuildHasher, Hasher};

use wire::MediaSessionId;

/// An id nobody else has.
pub(crate) fn fresh_id() -> MediaSessionId {
    MediaSessionId::from_random(u128::from(bits()) << 64 | u128::from(bits()))
}

/// Evenly from 0 up to 1, as [`session::Backoff`] wants it.
pub(crate) fn fraction() -> f64 {
    // As many bits as a double's fraction has.
    (bits() >> 11) as f64 / (1_u64 << 53) as f64
}

fn bits() -> u64 {
    RandomState::new().build_hasher().finish()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_differ() {
        assert_ne!(fresh_id(), fresh_id());
    }

    #[test]
    fn fractions_spread_from_zero_to_one() {
        let many: Vec<f64> = (0..1000).map(|_| fraction()).collect();
        assert!(many.iter().all(|fraction| (0.0..1.0).contains(fraction)));
        let mean = many.iter().sum::<f64>() / 1000.0;
        assert!((0.4..0.6).contains(&mean), "{mean}");
    }
}
