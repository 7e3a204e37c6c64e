//! Opens what the command line names and makes one stream of it.

mod join;

use std::io::{self, IsTerminal};

use twoway_publisher::device::{
    Camera, CameraOptions, Microphone, MicrophoneOptions, Screen, ScreenOptions, ScreenTarget,
};
use twoway_publisher::{
    self as publisher, Input, Size, Source, SourceError, Sources, TestPicture, Track,
};

use join::{Found, Rank, join};

/// Pictures a second, where none are asked for.
const FPS: u32 = 30;

/// What shall be sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Wanted {
    pub(crate) pictures: Option<Pictures>,
    /// Sound, of this device or the system's choice.
    pub(crate) microphone: Option<Option<String>>,
    pub(crate) inputs: Vec<Input>,
    /// Files begin again at their end.
    pub(crate) repeat: bool,
    /// Leave the other track out.
    pub(crate) only: Option<Track>,
    pub(crate) size: Option<Size>,
    pub(crate) fps: Option<u32>,
    pub(crate) stereo: bool,
    pub(crate) given: EncodingGiven,
}

/// The options given for encoding, by their names. They are of no effect on what
/// is sent as it is.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct EncodingGiven {
    /// Those for pictures.
    pub(crate) video: Vec<&'static str>,
    /// Those for sound.
    pub(crate) audio: Vec<&'static str>,
}

/// Where pictures come from, if not from an input.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Pictures {
    Test,
    /// This one, or the first.
    Camera(Option<String>),
    Screen(ScreenTarget),
}

/// What is opened, and sentences for the user.
pub(crate) struct Opened {
    pub(crate) sources: Sources,
    pub(crate) notices: Vec<String>,
}

impl Wanted {
    /// Opens it all. Files come first: a name that is mistyped needs no camera.
    ///
    /// # Errors
    /// Something cannot be opened, or it does not make a stream; the text is one
    /// sentence.
    pub(crate) fn open(&self) -> Result<Opened, String> {
        let mut found = Vec::new();
        for input in &self.inputs {
            found.push(self.open_input(input)?);
        }
        if let Some(device) = &self.microphone {
            found.push(self.open_microphone(device.clone())?);
        }
        if let Some(pictures) = &self.pictures {
            found.push(self.open_pictures(pictures)?);
        } else if found.is_empty() {
            found.push(self.open_pictures(&Pictures::Test)?);
        }
        join(found, self.only, &self.given)
    }

    fn open_input(&self, input: &Input) -> Result<Found, String> {
        let label = match input {
            Input::File(path) => path.display().to_string(),
            Input::StandardInput => "standard input".to_owned(),
        };
        if matches!(input, Input::StandardInput) && io::stdin().is_terminal() {
            return Err("standard input is a terminal: pipe media into it".to_owned());
        }
        let source =
            publisher::open(input, self.only, self.repeat).map_err(|error| error.to_string())?;
        Ok(Found::new(label, Rank::Input, source))
    }

    fn open_microphone(&self, device: Option<String>) -> Result<Found, String> {
        let channels = if self.stereo { 2 } else { 1 };
        let microphone = Microphone::open(MicrophoneOptions { device, channels });
        device_found("--microphone", microphone)
    }

    fn open_pictures(&self, pictures: &Pictures) -> Result<Found, String> {
        let fps = self.fps.unwrap_or(FPS);
        match pictures {
            Pictures::Test => {
                let usual = || Size::new(1280, 720).map_err(|error| error.to_string());
                let size = self.size.map_or_else(usual, Ok)?;
                let source = TestPicture::new(size, fps);
                let label = "--test-picture".to_owned();
                Ok(Found::new(label, Rank::TestPicture, Box::new(source)))
            }
            Pictures::Camera(device) => {
                let options = CameraOptions {
                    device: device.clone(),
                    size: self.size,
                    fps: self.fps,
                };
                device_found("--camera", Camera::open(options))
            }
            Pictures::Screen(what) => {
                let label = match what {
                    ScreenTarget::Display(_) => "--screen",
                    ScreenTarget::Window(_) => "--window",
                };
                let options = ScreenOptions {
                    what: what.clone(),
                    fps,
                    size: self.size,
                };
                device_found(label, Screen::open(options))
            }
        }
    }
}

fn device_found<S: Source + 'static>(
    option: &str,
    source: Result<S, SourceError>,
) -> Result<Found, String> {
    let source = source.map_err(|error| error.to_string())?;
    Ok(Found::new(
        option.to_owned(),
        Rank::Device,
        Box::new(source),
    ))
}
