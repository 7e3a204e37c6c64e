//! Which devices are captured, and how.

use yew::{Callback, Html, Properties, component, html};

use super::device_picker::DevicePicker;
use super::select_field::{Choice, SelectField};
use crate::platform::devices;
use crate::state::{Capture, DeviceKind, Devices, Setting, Settings};

/// Pictures to choose from, by their height.
const HEIGHTS: [u32; 4] = [360, 480, 720, 1080];
/// Frames a second to choose from.
const FRAME_RATES: [u32; 3] = [15, 30, 60];
/// Limits of the video's bitrate to choose from, in kilobits a second.
const BITRATES_KBPS: [u32; 4] = [500, 1_000, 2_000, 4_000];

/// What the section is given.
#[derive(Clone, PartialEq, Properties)]
pub struct CaptureSettingsProps {
    /// The devices there are.
    pub devices: Devices,
    /// What is chosen.
    pub settings: Settings,
    /// Told of each change.
    pub on_setting: Callback<Setting>,
}

/// Pickers for devices, size, rate and bitrate, and the mirror; closed until
/// they are wanted.
#[component]
pub fn CaptureSettings(props: &CaptureSettingsProps) -> Html {
    let capture = &props.settings.capture;
    html! {
        <details id="captureSettings" class="capture-settings">
            <summary>{"Camera and microphone"}</summary>
            <div class="capture-grid">
                { device_pickers(props) }
                { quality(props) }
                <label class="check" for="mirrorPreview">
                    <input
                        id="mirrorPreview"
                        type="checkbox"
                        checked={capture.mirrored}
                        onchange={changed(props, |capture, _: yew::Event| {
                            capture.mirrored = !capture.mirrored;
                        })}
                    />
                    {"Mirror my own picture here (never for the viewers)"}
                </label>
            </div>
        </details>
    }
}

fn device_pickers(props: &CaptureSettingsProps) -> Html {
    let Settings {
        capture, speaker, ..
    } = &props.settings;
    html! {
        <>
            <DevicePicker
                id="cameraSelect"
                kind={DeviceKind::Camera}
                devices={props.devices.clone()}
                chosen={capture.camera.clone()}
                on_choice={changed(props, |capture, id| capture.camera = id)}
            />
            <DevicePicker
                id="microphoneSelect"
                kind={DeviceKind::Microphone}
                devices={props.devices.clone()}
                chosen={capture.microphone.clone()}
                on_choice={changed(props, |capture, id| capture.microphone = id)}
            />
            if devices::can_choose_speaker() {
                <DevicePicker
                    id="speakerSelect"
                    kind={DeviceKind::Speaker}
                    devices={props.devices.clone()}
                    chosen={speaker.clone()}
                    on_choice={props.on_setting.reform(Setting::Speaker)}
                />
            }
        </>
    }
}

fn quality(props: &CaptureSettingsProps) -> Html {
    let capture = &props.settings.capture;
    html! {
        <>
            <SelectField
                id="heightSelect"
                label="Resolution"
                choices={choices(&HEIGHTS, "p")}
                chosen={capture.height.to_string()}
                on_pick={changed(props, |capture, text: String| {
                    capture.height = text.parse().unwrap_or(capture.height);
                })}
            />
            <SelectField
                id="frameRateSelect"
                label="Frame rate"
                choices={choices(&FRAME_RATES, " a second")}
                chosen={capture.frame_rate.to_string()}
                on_pick={changed(props, |capture, text: String| {
                    capture.frame_rate = text.parse().unwrap_or(capture.frame_rate);
                })}
            />
            <SelectField
                id="bitrateSelect"
                label="Video bitrate"
                choices={bitrates()}
                chosen={capture.max_bitrate_bps.map(|bps| bps.to_string()).unwrap_or_default()}
                on_pick={changed(props, |capture, text: String| {
                    capture.max_bitrate_bps = text.parse().ok();
                })}
            />
        </>
    }
}

/// A callback that changes what is captured.
fn changed<T: 'static>(
    props: &CaptureSettingsProps,
    change: impl Fn(&mut Capture, T) + 'static,
) -> Callback<T> {
    let capture = props.settings.capture.clone();
    props.on_setting.reform(move |value| {
        let mut capture = capture.clone();
        change(&mut capture, value);
        Setting::Capture(capture)
    })
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
