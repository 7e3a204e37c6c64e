//! Who waits for a publisher's keyframe.

use std::time::{Duration, Instant};

use crate::core::backend::{SnapshotError, SnapshotId};

/// How long a keyframe is waited for: a few requests that get lost, or a usual
/// interval between two of a publisher that takes none.
const PATIENCE: Duration = Duration::from_secs(5);

/// Most requests that wait for one publisher.
const MAX_WAITING: usize = 8;

/// The requests for a picture of one publisher, oldest first.
#[derive(Debug, Default)]
pub(in crate::media) struct Requests(Vec<(SnapshotId, Instant)>);

impl Requests {
    /// One more that waits.
    ///
    /// # Errors
    /// [`SnapshotError::Busy`].
    pub(in crate::media) fn add(
        &mut self,
        request: SnapshotId,
        now: Instant,
    ) -> Result<(), SnapshotError> {
        if self.0.len() >= MAX_WAITING {
            return Err(SnapshotError::Busy);
        }
        self.0.push((request, now + PATIENCE));
        Ok(())
    }

    pub(in crate::media) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// When [`Requests::take_expired`] has something.
    pub(in crate::media) fn poll_timeout(&self) -> Option<Instant> {
        self.0.first().map(|(_, until)| *until)
    }

    /// Those that have waited for too long.
    pub(in crate::media) fn take_expired(&mut self, now: Instant) -> Vec<SnapshotId> {
        let expired = self.0.iter().take_while(|(_, until)| *until <= now).count();
        self.0
            .drain(..expired)
            .map(|(request, _)| request)
            .collect()
    }

    /// All of them.
    pub(in crate::media) fn take(&mut self) -> Vec<SnapshotId> {
        self.0.drain(..).map(|(request, _)| request).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn few_wait_and_not_for_ever() {
        let now = Instant::now();
        let mut requests = Requests::default();
        for id in 0..MAX_WAITING as u64 {
            let at = now + Duration::from_millis(id);
            assert_eq!(requests.add(SnapshotId(id), at), Ok(()));
        }
        assert_eq!(requests.add(SnapshotId(99), now), Err(SnapshotError::Busy));
        assert_eq!(requests.poll_timeout(), Some(now + PATIENCE));
        let expired = requests.take_expired(now + PATIENCE + Duration::from_millis(1));
        assert_eq!(expired, [SnapshotId(0), SnapshotId(1)]);
        assert_eq!(requests.add(SnapshotId(99), now), Ok(()));
        assert_eq!(requests.take().len(), MAX_WAITING - 1);
        assert!(requests.is_empty());
        assert_eq!(requests.poll_timeout(), None);
    }
}
