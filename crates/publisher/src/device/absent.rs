//! Stand-ins for the devices that this build leaves out: the same names, so
//! that no caller needs to know; opening them tells what is missing.

use std::convert::Infallible;

use super::Devices;
use crate::source::{Captured, Format, Source, SourceError};

/// Defines a source that there cannot be one of.
macro_rules! absent {
    ($name:ident, $options:ty, $sentence:literal) => {
        #[doc = concat!("Not in this build: ", $sentence, ".")]
        #[derive(Debug)]
        pub struct $name(Infallible);

        impl $name {
            /// # Errors
            /// Always.
            pub fn open(_: $options) -> Result<Self, SourceError> {
                Err(SourceError($sentence.to_owned()))
            }

            pub(super) fn list(devices: &mut Devices) {
                devices.notes.push($sentence.to_owned());
            }
        }

        impl Source for $name {
            fn format(&self) -> Format {
                match self.0 {}
            }

            fn next(&mut self) -> Result<Captured, SourceError> {
                match self.0 {}
            }
        }
    };
}

#[cfg(not(feature = "camera"))]
absent!(
    Camera,
    super::CameraOptions,
    "this build has no camera: build it with the feature `camera`"
);
#[cfg(not(feature = "microphone"))]
absent!(
    Microphone,
    super::MicrophoneOptions,
    "this build has no microphone: build it with the feature `microphone`"
);
#[cfg(not(feature = "screen"))]
absent!(
    Screen,
    super::ScreenOptions,
    "this build has no screen: build it with the feature `screen`"
);
