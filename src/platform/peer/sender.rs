//! What a publisher changes while it sends, without a new offer.

use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::JsFuture;
use web_sys::{RtcRtpSender, RtcRtpTransceiver};

use super::Peer;
use crate::platform::Thrown;
use crate::platform::media::Track;
use crate::state::MediaKind;

/// Sends one kind of media. A handle: it neither holds the track nor the
/// connection open.
#[derive(Debug, Clone)]
pub struct Sender(RtcRtpSender);

impl Sender {
    /// Sends `track` from now on instead of the one before, or nothing.
    ///
    /// # Errors
    /// The track does not fit what was negotiated. A connection that was
    /// closed meanwhile is no error: there is nothing to send any more.
    pub async fn replace(&self, track: Option<&Track>) -> Result<(), Thrown> {
        let track = track.map(Track::raw);
        match JsFuture::from(self.0.replace_track(track)).await {
            Ok(_) => Ok(()),
            Err(cause) => match Thrown::from(cause) {
                thrown if thrown.name == "InvalidStateError" => Ok(()),
                thrown => Err(thrown),
            },
        }
    }

    /// Sends at most this many bits a second; `None` leaves it to the browser.
    ///
    /// # Errors
    /// The browser does not take it.
    pub async fn limit(&self, max_bitrate_bps: Option<u32>) -> Result<(), Thrown> {
        let parameters = self.0.get_parameters();
        let encodings = js_sys::Reflect::get(&parameters, &"encodings".into())?;
        for encoding in js_sys::Array::from(&encodings) {
            let name = JsValue::from_str("maxBitrate");
            match max_bitrate_bps {
                Some(limit) => js_sys::Reflect::set(&encoding, &name, &limit.into())?,
                None => js_sys::Reflect::delete_property(
                    encoding.unchecked_ref::<js_sys::Object>(),
                    &name,
                )?,
            };
        }
        let parameters = parameters.unchecked_ref();
        JsFuture::from(self.0.set_parameters_with_parameters(parameters)).await?;
        Ok(())
    }
}

impl Peer {
    /// The sender of a kind; `None` if it was not offered.
    pub fn sender(&self, kind: MediaKind) -> Option<Sender> {
        let word = match kind {
            MediaKind::Sound => "audio",
            MediaKind::Picture => "video",
        };
        self.connection
            .get_transceivers()
            .into_iter()
            .map(|transceiver| transceiver.unchecked_into::<RtcRtpTransceiver>())
            // A sender may be without a track for a while; its receiver never.
            .find(|transceiver| transceiver.receiver().track().kind() == word)
            .map(|transceiver| Sender(transceiver.sender()))
    }
}
