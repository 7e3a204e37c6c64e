//! Listening to how loud a microphone is.

use gloo_timers::callback::Interval;
use web_sys::{AnalyserNode, AudioContext, MediaStream, MediaStreamAudioSourceNode};
use yew::Callback;

use super::Thrown;
use super::media::Sound;
use crate::state::level_percent;

/// Between two levels: some 14 a second.
const INTERVAL_MS: u32 = 70;
/// Samples a level is taken from: 21 ms at 48 kHz.
const SAMPLES: usize = 1_024;

/// A microphone being listened to. Dropping it ends that.
#[must_use = "dropping it ends the listening"]
pub struct LevelMeter {
    context: AudioContext,
    source: MediaStreamAudioSourceNode,
    _interval: Interval,
}

impl LevelMeter {
    /// Tells the level of `sound` in percent, some 14 times a second.
    ///
    /// # Errors
    /// The browser has no audio graph to give.
    pub fn start(sound: &Sound, on_level: Callback<u8>) -> Result<Self, Thrown> {
        let stream = MediaStream::new()?;
        stream.add_track(sound.track());
        let context = AudioContext::new()?;
        let (source, analyser) = match graph(&context, &stream) {
            Ok(nodes) => nodes,
            Err(cause) => {
                let _closing = context.close();
                return Err(cause);
            }
        };
        // Contexts made without a press are suspended in some browsers.
        let _resuming = context.resume();
        let mut samples = vec![0.0; SAMPLES];
        let interval = Interval::new(INTERVAL_MS, move || {
            analyser.get_float_time_domain_data(&mut samples);
            on_level.emit(level_percent(&samples));
        });
        Ok(Self {
            context,
            source,
            _interval: interval,
        })
    }
}

fn graph(
    context: &AudioContext,
    stream: &MediaStream,
) -> Result<(MediaStreamAudioSourceNode, AnalyserNode), Thrown> {
    let source = context.create_media_stream_source(stream)?;
    let analyser = context.create_analyser()?;
    analyser.set_fft_size(SAMPLES as u32);
    source.connect_with_audio_node(&analyser)?;
    Ok((source, analyser))
}

impl Drop for LevelMeter {
    fn drop(&mut self) {
        let _disconnected = self.source.disconnect();
        let _closing = self.context.close();
    }
}
