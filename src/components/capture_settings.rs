//! Which devices are captured, and how.

use yew::{Callback, Html, html};

use super::device_picker::{DevicePicker, device_picker};
use super::select_field::{Choice, SelectField};
use crate::pages::view::View;
use crate::platform::devices;
use crate::state::{Capture, DeviceKind, Setting, Settings};

/// Pictures to choose from, by their height.
const HEIGHTS: [u32; 4] = [360, 480, 720, 1080];
/// Frames a second to choose from.
const FRAME_RATES: [u32; 3] = [15, 30, 60];
/// Limits of the video's bitrate to choose from, in kilobits a second.
const BITRATES_KBPS: [u32; 4] = [500, 1_000, 2_000, 4_000];

/// Pickers for devices, size, rate and bitrate, and the mirror; closed until
/// they are wanted.
pub fn capture_settings(view: &View) -> Html {
    let mirror = changed(view, |capture, _| capture.mirrored = !capture.mirrored);
    html! {
        <details id="captureSettings" class="capture-settings">
            <summary>{"Camera and microphone"}</summary>
            <div class="capture-grid">
                { device_pickers(view) }
                { quality(view) }
                <label class="check" for="mirrorPreview">
                    <input
                        id="mirrorPreview"
                        type="checkbox"
                        checked={view.settings.capture.mirrored}
                        onchange={mirror.reform(|_| String::new())}
                    />
                    {"Mirror my own picture here (never for the viewers)"}
                </label>
            </div>
        </details>
    }
}

fn device_pickers(view: &View) -> Html {
    let Settings {
        capture, speaker, ..
    } = view.settings;
    let camera = DevicePicker {
        id: "cameraSelect",
        kind: DeviceKind::Camera,
        devices: view.studio.devices(),
        chosen: capture.camera.as_deref(),
        on_pick: changed(view, |capture, id| capture.camera = chosen_id(id)),
    };
    let microphone = DevicePicker {
        id: "microphoneSelect",
        kind: DeviceKind::Microphone,
        devices: view.studio.devices(),
        chosen: capture.microphone.as_deref(),
        on_pick: changed(view, |capture, id| capture.microphone = chosen_id(id)),
    };
    let on_setting = &view.actions.on_setting;
    let speaker = DevicePicker {
        id: "speakerSelect",
        kind: DeviceKind::Speaker,
        devices: view.studio.devices(),
        chosen: speaker.as_deref(),
        on_pick: on_setting.reform(|id| Setting::Speaker(chosen_id(id))),
    };
    html! {
        <>
            { device_picker(camera) }
            { device_picker(microphone) }
            if devices::can_choose_speaker() {
                { device_picker(speaker) }
            }
        </>
    }
}

fn quality(view: &View) -> Html {
    let capture = &view.settings.capture;
    let on_height = changed(view, |capture, text| {
        capture.height = text.parse().unwrap_or(capture.height);
    });
    let on_frame_rate = changed(view, |capture, text| {
        capture.frame_rate = text.parse().unwrap_or(capture.frame_rate);
    });
    let on_bitrate = changed(view, |capture, text| {
        capture.max_bitrate_bps = text.parse().ok();
    });
    html! {
        <>
            <SelectField
                id="heightSelect"
                label="Resolution"
                choices={choices(&HEIGHTS, "p")}
                chosen={capture.height.to_string()}
                on_pick={on_height}
            />
            <SelectField
                id="frameRateSelect"
                label="Frame rate"
                choices={choices(&FRAME_RATES, " a second")}
                chosen={capture.frame_rate.to_string()}
                on_pick={on_frame_rate}
            />
            <SelectField
                id="bitrateSelect"
                label="Video bitrate"
                choices={bitrates()}
                chosen={capture.max_bitrate_bps.map(|bps| bps.to_string()).unwrap_or_default()}
                on_pick={on_bitrate}
            />
        </>
    }
}

/// A callback that changes what is captured, told the value of a choice.
fn changed(view: &View, change: fn(&mut Capture, String)) -> Callback<String> {
    let capture = view.settings.capture.clone();
    view.actions.on_setting.reform(move |value| {
        let mut capture = capture.clone();
        change(&mut capture, value);
        Setting::Capture(capture)
    })
}

/// The empty choice leaves it to the browser.
fn chosen_id(id: String) -> Option<String> {
    Some(id).filter(|id| !id.is_empty())
}

fn choices(numbers: &[u32], unit: &str) -> Vec<Choice> {
    let choice = |number: &u32| Choice::new(number.to_string(), format!("{number}{unit}"));
    numbers.iter().map(choice).collect()
}

fn bitrates() -> Vec<Choice> {
    let mut choices = vec![Choice::new("", "Automatic")];
    choices.extend(BITRATES_KBPS.map(|kbps| {
        let text = match kbps {
            1_000.. => format!("At most {} Mbit/s", kbps / 1_000),
            _ => format!("At most {kbps} kbit/s"),
        };
        Choice::new((kbps * 1_000).to_string(), text)
    }));
    choices
}
