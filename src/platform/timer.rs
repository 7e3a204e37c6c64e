//! Time: the monotonic clock, the wall clock and one-shot timers.

use core::time::Duration;

use futures::channel::oneshot;
use gloo_timers::callback::Timeout;

/// A one-shot timer; dropping it cancels it.
#[derive(Debug)]
#[must_use = "dropping a timer cancels it"]
pub struct Timer(#[allow(dead_code, reason = "held for its Drop")] Timeout);

impl Timer {
    /// Calls `on_due` once, `delay` from now and never before.
    pub fn after(delay: Duration, on_due: impl FnOnce() + 'static) -> Self {
        // `setTimeout` counts in whole milliseconds up to `i32::MAX`.
        let part = u64::from(delay.subsec_micros().div_ceil(1_000));
        let millis = delay.as_secs().saturating_mul(1_000).saturating_add(part);
        let millis = millis.min(i32::MAX as u64) as u32;
        Self(Timeout::new(millis, on_due))
    }
}

/// Waits for `delay`, at least until the browser's next turn.
pub async fn sleep(delay: Duration) {
    let (sender, due) = oneshot::channel();
    let _timer = Timer::after(delay, move || {
        // Nobody waits any more if that fails.
        let _sent = sender.send(());
    });
    let _due = due.await;
}

/// Time since the page was opened, on a clock that never goes back.
pub fn since_page_opened() -> Duration {
    Duration::try_from_secs_f64(now_ms() / 1_000.0).unwrap_or_default()
}

/// The same in milliseconds, as the browser's own events and frames are timed
/// (`performance.now()`).
pub fn now_ms() -> f64 {
    web_sys::window()
        .and_then(|window| window.performance())
        .map_or(0.0, |performance| performance.now())
}

/// A moment of [`now_ms`]'s clock in milliseconds since the Unix epoch, by what
/// the wall clock says now.
pub fn wall_ms(page_ms: f64) -> f64 {
    js_sys::Date::now() - (now_ms() - page_ms)
}

/// The user's local time of day, hours and minutes.
pub fn local_time() -> (u32, u32) {
    let now = js_sys::Date::new_0();
    (now.get_hours(), now.get_minutes())
}
