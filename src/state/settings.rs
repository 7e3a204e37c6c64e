//! What the page remembers in this browser. Never a token.

use serde_json::Value;

use super::json::Object;

/// How a picture of another shape than its box is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Fit {
    /// All of it, with bars beside it.
    #[default]
    Contain,
    /// The whole box, with the picture's edges cut.
    Cover,
}

/// What is published, and how.
#[derive(Debug, Clone, PartialEq)]
pub struct Capture {
    /// The camera's device id; `None` is the browser's choice.
    pub camera: Option<String>,
    /// The microphone's device id; `None` is the browser's choice.
    pub microphone: Option<String>,
    /// Wished height of the picture in pixels; the width follows at 16:9.
    pub height: u32,
    /// Wished frames a second.
    pub frame_rate: u32,
    /// Most bits a second of video; `None` leaves it to the browser.
    pub max_bitrate_bps: Option<u32>,
    /// The preview is shown as in a mirror. What is sent never is.
    pub mirrored: bool,
}

impl Default for Capture {
    fn default() -> Self {
        Self {
            camera: None,
            microphone: None,
            height: 720,
            frame_rate: 30,
            max_bitrate_bps: None,
            mirrored: true,
        }
    }
}

/// Everything remembered.
#[derive(Debug, Clone, PartialEq)]
pub struct Settings {
    /// Loudness of the played stream, 0 to 1.
    pub volume: f64,
    /// The user wants no sound.
    pub muted: bool,
    /// How the played picture fills its box.
    pub fit: Fit,
    /// The speaker's device id; `None` is the browser's choice.
    pub speaker: Option<String>,
    /// The statistics panel is open.
    pub statistics: bool,
    /// Single keys control the player (WCAG 2.2, 2.1.4: they can be turned off).
    pub shortcuts: bool,
    /// What was lost is tried again, until the user stops it.
    pub keep_trying: bool,
    /// What is published, and how.
    pub capture: Capture,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            volume: 1.0,
            muted: false,
            fit: Fit::default(),
            speaker: None,
            statistics: false,
            shortcuts: true,
            keep_trying: true,
            capture: Capture::default(),
        }
    }
}

/// The user changed a setting.
#[derive(Debug, Clone, PartialEq)]
pub enum Setting {
    /// Loudness, 0 to 1.
    Volume(f64),
    /// No sound.
    Muted(bool),
    /// How the picture fills its box.
    Fit(Fit),
    /// The speaker's device id.
    Speaker(Option<String>),
    /// The statistics panel is open.
    Statistics(bool),
    /// Single keys control the player.
    Shortcuts(bool),
    /// What was lost is tried again.
    KeepTrying(bool),
    /// What is published, and how.
    Capture(Capture),
}

impl Fit {
    fn from_json(json: &Value) -> Option<Self> {
        match json.as_str()? {
            "Contain" => Some(Self::Contain),
            "Cover" => Some(Self::Cover),
            _ => None,
        }
    }

    fn as_str(self) -> &'static str {
        match self {
            Self::Contain => "Contain",
            Self::Cover => "Cover",
        }
    }
}

impl Capture {
    fn from_json(json: &Value) -> Self {
        let text = |name: &str| Some(json[name].as_str()?.to_owned());
        let number = |name: &str| json[name].as_u64()?.try_into().ok();
        let default = Self::default();
        Self {
            camera: text("camera"),
            microphone: text("microphone"),
            height: number("height").unwrap_or(default.height),
            frame_rate: number("frame_rate").unwrap_or(default.frame_rate),
            max_bitrate_bps: number("max_bitrate_bps"),
            mirrored: json["mirrored"].as_bool().unwrap_or(default.mirrored),
        }
    }

    fn to_json(&self) -> Value {
        Object::default()
            .texts(&[
                ("camera", self.camera.as_deref()),
                ("microphone", self.microphone.as_deref()),
            ])
            .with("height", self.height.into())
            .with("frame_rate", self.frame_rate.into())
            .with("max_bitrate_bps", self.max_bitrate_bps.into())
            .with("mirrored", self.mirrored.into())
            .build()
    }
}

impl Settings {
    /// Reads what was remembered; what is missing or makes no sense has its
    /// default.
    pub(super) fn from_json(json: &Value) -> Self {
        let default = Self::default();
        let flag = |name: &str, default| json[name].as_bool().unwrap_or(default);
        Self {
            volume: json["volume"].as_f64().unwrap_or(default.volume),
            muted: flag("muted", default.muted),
            fit: Fit::from_json(&json["fit"]).unwrap_or_default(),
            speaker: json["speaker"].as_str().map(str::to_owned),
            statistics: flag("statistics", default.statistics),
            shortcuts: flag("shortcuts", default.shortcuts),
            keep_trying: flag("keep_trying", default.keep_trying),
            capture: Capture::from_json(&json["capture"]),
        }
    }

    /// What [`Settings::from_json`] reads.
    pub(super) fn to_json(&self) -> Value {
        Object::default()
            .with("volume", self.volume.into())
            .with("muted", self.muted.into())
            .with("fit", self.fit.as_str().into())
            .with("speaker", self.speaker.as_deref().into())
            .with("statistics", self.statistics.into())
            .with("shortcuts", self.shortcuts.into())
            .with("keep_trying", self.keep_trying.into())
            .with("capture", self.capture.to_json())
            .build()
    }

    /// Takes a change.
    pub fn apply(&mut self, setting: Setting) {
        match setting {
            Setting::Volume(volume) => self.volume = volume.clamp(0.0, 1.0),
            Setting::Muted(muted) => self.muted = muted,
            Setting::Fit(fit) => self.fit = fit,
            Setting::Speaker(speaker) => self.speaker = speaker,
            Setting::Statistics(open) => self.statistics = open,
            Setting::Shortcuts(enabled) => self.shortcuts = enabled,
            Setting::KeepTrying(keep_trying) => self.keep_trying = keep_trying,
            Setting::Capture(capture) => self.capture = capture,
        }
    }
}
