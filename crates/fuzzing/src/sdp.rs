//! Offers, as they come to the media server: read leniently, written anew for str0m,
//! answered.

use std::cell::RefCell;

use crate::rig::{ONE, Rig};

/// Offers to one worker before it is replaced: those that are answered leave peers.
const OFFERS: usize = 64;

thread_local! {
    /// A worker with a publisher whose media flows.
    static WORKER: RefCell<Option<(Rig, usize)>> = const { RefCell::new(None) };
}

/// The text is offered by a publisher, and by a player of a stream that flows.
///
/// # Panics
/// An answer is not one to each m-line of the offer.
pub fn sdp(data: &[u8]) {
    let offer = String::from_utf8_lossy(data);
    WORKER.with_borrow_mut(|worker| {
        let (rig, offers) = worker.get_or_insert_with(|| (Rig::new(0, ONE, false), 0));
        check(&offer, &rig.bench.play(offer.to_string(), rig.now));
        check(&offer, &rig.bench.publish(offer.to_string(), rig.now));
        *offers += 1;
        if *offers == OFFERS {
            *worker = None;
        }
    });
}

/// RFC 3264 section 6: an answer has as many m-lines as its offer. An offer that cannot
/// be answered is refused, which is no answer at all.
fn check(offer: &str, answer: &str) {
    let lines = |sdp: &str| sdp.lines().filter(|l| l.trim().starts_with("m=")).count();
    assert!(
        answer.is_empty() || lines(offer) == lines(answer),
        "{answer}"
    );
}
