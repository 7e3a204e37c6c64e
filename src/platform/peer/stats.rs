//! Sampling a peer connection, once a second.

use core::time::Duration;

use futures::channel::oneshot;
use js_sys::{Array, Reflect};
use serde_json::Value;
use wasm_bindgen::JsValue;
use wasm_bindgen_futures::JsFuture;
use web_sys::RtcStatsReport;
use yew::Callback;

use super::Probe;
use crate::platform::task::Task;
use crate::platform::timer::{self, Timer};
use crate::state::statistics::Sample;

/// From one sample to the next.
const INTERVAL: Duration = Duration::from_secs(1);

/// Samples a peer connection. Dropping it stops that.
#[must_use = "dropping a sampler stops it"]
pub struct Sampler(#[allow(dead_code, reason = "held for its Drop")] Task);

impl Sampler {
    /// Starts: `on_sample` is called at once and then each second.
    pub fn start(probe: &Probe, on_sample: Callback<Sample>) -> Self {
        let probe = probe.clone();
        Self(Task::spawn(async move {
            loop {
                // A connection that tells nothing now may do so later.
                if let Ok(sample) = sample(&probe).await {
                    on_sample.emit(sample);
                }
                sleep(INTERVAL).await;
            }
        }))
    }
}

/// Sets how long the receivers should keep frames back (`jitterBufferTarget`,
/// WebRTC Extensions); `None` leaves it to the browser. Browsers that do not
/// have it keep deciding for themselves.
pub fn set_playout_target(probe: &Probe, target: Option<Duration>) {
    let target = target.map_or(JsValue::NULL, |target| {
        JsValue::from_f64(target.as_secs_f64() * 1_000.0)
    });
    for receiver in probe.connection().get_receivers() {
        let _unknown = Reflect::set(&receiver, &"jitterBufferTarget".into(), &target);
    }
}

async fn sample(probe: &Probe) -> Result<Sample, JsValue> {
    let report: RtcStatsReport = JsFuture::from(probe.connection().get_stats()).await?.into();
    let at_ms = timer::now_ms();
    // All entries in one crossing to here, instead of one for each member.
    let entries = js_sys::JSON::stringify(&Array::from(&report.values()))?;
    let entries: Value = serde_json::from_str(&String::from(entries)).unwrap_or_default();
    let entries = entries.as_array().map_or(&[][..], Vec::as_slice);
    Ok(Sample::from_entries(at_ms, entries).with_sound_lag(probe.sound_lag()))
}

async fn sleep(delay: Duration) {
    let (sender, due) = oneshot::channel();
    let _timer = Timer::after(delay, move || {
        let _waiting = sender.send(());
    });
    let _due = due.await;
}
