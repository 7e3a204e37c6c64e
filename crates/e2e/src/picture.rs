//! What a viewer of the test picture sees and hears.

use anyhow::{Context, Result};
use serde::Deserialize;
use serde_json::json;
use strip::Stamp;

use crate::Browser;

/// True when the video of box `arguments[0]` shows another picture than at the
/// last call, and not a plain one.
const PICTURE_CHANGED: &str = r"
    const box = document.getElementById(arguments[0]);
    const video = box?.querySelector('video');
    if (!video || !video.videoWidth || video.readyState < 2) return false;
    const canvas = document.createElement('canvas');
    canvas.width = 64;
    canvas.height = 36;
    const context = canvas.getContext('2d');
    context.drawImage(video, 0, 0, 64, 36);
    const pixels = Array.from(context.getImageData(0, 0, 64, 36).data);
    const plain = pixels.every((value, i) => value === pixels[i % 4]);
    const picture = pixels.join();
    const changed = !plain && picture !== box.lastPicture;
    box.lastPicture = picture;
    return changed;
";

/// True once the played stream has been heard. Calls follow each other closely,
/// and no beep is shorter than what each hears.
pub(crate) const SOUND_HEARD: &str = r"
    const stream = document.querySelector('#remoteVideo video')?.srcObject;
    if (!stream?.getAudioTracks().length) return false;
    if (window.ear?.stream !== stream) {
        window.ear?.audio.close();
        const audio = new AudioContext();
        const analyser = new AnalyserNode(audio, { fftSize: 8192 });
        audio.createMediaStreamSource(stream).connect(analyser);
        window.ear = { stream, audio, analyser };
    }
    const samples = new Float32Array(ear.analyser.fftSize);
    ear.analyser.getFloatTimeDomainData(samples);
    return samples.some(sample => Math.abs(sample) > 0.02);
";

/// Collects, for `arguments[0]` milliseconds, the time at which every frame is
/// expected on the screen and the luma of its strip cells (whose centres are
/// `arguments[1]`), and the loudest and quietest sound.
const WATCH: &str = r"
    const [millis, centers, done] = arguments;
    const video = document.querySelector('#remoteVideo video');
    const top = Math.floor(Math.min(...centers.map(c => c[1])) - 2);
    const canvas = document.createElement('canvas');
    canvas.width = video.videoWidth;
    canvas.height = video.videoHeight - top;
    const context = canvas.getContext('2d', { willReadFrequently: true });

    const audio = new AudioContext();
    const analyser = new AnalyserNode(audio, { fftSize: 1024 });
    const { srcObject: stream } = video;
    if (stream.getAudioTracks().length) audio.createMediaStreamSource(stream).connect(analyser);
    const samples = new Float32Array(analyser.fftSize);
    let loudest = 0, quietest = Infinity;
    const listening = setInterval(() => {
        analyser.getFloatTimeDomainData(samples);
        const power = samples.reduce((sum, s) => sum + s * s, 0) / samples.length;
        loudest = Math.max(loudest, Math.sqrt(power));
        quietest = Math.min(quietest, Math.sqrt(power));
    }, 10);

    const frames = [];
    const decoded = () => video.getVideoPlaybackQuality().totalVideoFrames;
    const decodedBefore = decoded();
    const start = performance.now();
    const look = (now, metadata) => {
        const shown_ms = Math.round(performance.timeOrigin + metadata.expectedDisplayTime);
        context.drawImage(video, 0, -top);
        const { data } = context.getImageData(0, 0, canvas.width, canvas.height);
        const luma = centers.map(([x, y]) => data[4 * ((y - top) * canvas.width + x) + 1]);
        frames.push({ shown_ms, luma, rtp_time: metadata.rtpTimestamp });
        const elapsed = performance.now() - start;
        if (elapsed < millis) {
            video.requestVideoFrameCallback(look);
        } else {
            clearInterval(listening);
            audio.close();
            const seconds = elapsed / 1000;
            done({ frames, loudest, quietest, seconds, decoded: decoded() - decodedBefore });
        }
    };
    video.requestVideoFrameCallback(look);
";

/// The luma of the shown picture at the centres `arguments[0]`.
const SHOWN: &str = r"
    const [centers] = arguments;
    const video = document.querySelector('#remoteVideo video');
    const canvas = new OffscreenCanvas(video.videoWidth, video.videoHeight);
    const context = canvas.getContext('2d');
    context.drawImage(video, 0, 0);
    const { data } = context.getImageData(0, 0, canvas.width, canvas.height);
    return centers.map(([x, y]) => data[4 * (y * canvas.width + x) + 1]);
";

/// A second of the test picture.
const LAST_FRAMES: usize = 30;

/// What was seen and heard over some seconds.
#[derive(Debug)]
pub struct Watched {
    /// The frames whose presentation the page was told of, in order.
    pub seen: Vec<Seen>,
    /// How many frames the browser decoded meanwhile.
    pub decoded: u64,
    /// How long it was, in seconds.
    pub seconds: f64,
    /// Loudest moment, root mean square of full scale 1.
    pub loudest: f64,
    /// Quietest moment, root mean square of full scale 1.
    pub quietest: f64,
}

/// One presented frame.
#[derive(Debug, Clone, Copy)]
pub struct Seen {
    /// When it is expected on the screen, milliseconds since the Unix epoch.
    pub shown_ms: u64,
    /// What its strip says; `None` if it cannot be read.
    pub stamp: Option<Stamp>,
    /// Its RTP timestamp, in steps of 1/90,000 s; 0 for what comes without RTP.
    pub rtp_time: u32,
}

impl Watched {
    /// Decoded frames a second.
    pub fn frame_rate(&self) -> f64 {
        self.decoded as f64 / self.seconds
    }

    /// From capture to presentation of every legible frame, in milliseconds, sorted.
    pub fn delays_ms(&self) -> Vec<i64> {
        delays_ms(&self.seen)
    }

    /// The same of the last frames, about a second of them: what a page shows
    /// now is about now.
    pub fn last_delays_ms(&self) -> Vec<i64> {
        delays_ms(&self.seen[self.seen.len().saturating_sub(LAST_FRAMES)..])
    }
}

fn delays_ms(seen: &[Seen]) -> Vec<i64> {
    let delay = |seen: &Seen| Some(seen.shown_ms as i64 - seen.stamp?.capture_ms as i64);
    let mut delays: Vec<i64> = seen.iter().filter_map(delay).collect();
    delays.sort_unstable();
    delays
}

/// Waits until the video in box `id` shows picture after picture, each differing
/// from the one before.
pub(crate) async fn wait_moving(browser: &Browser, id: &str) -> Result<()> {
    for change in ["first", "second", "third"] {
        let what = format!("the {change} change of the picture in #{id}");
        let arguments = vec![json!(id)];
        browser
            .wait_until(&what, PICTURE_CHANGED, arguments)
            .await?;
    }
    Ok(())
}

#[derive(Deserialize)]
struct Raw {
    frames: Vec<RawFrame>,
    loudest: f64,
    quietest: f64,
    seconds: f64,
    decoded: u64,
}

#[derive(Deserialize)]
struct RawFrame {
    shown_ms: u64,
    luma: Vec<u8>,
    /// Absent from what comes without RTP.
    #[serde(default)]
    rtp_time: u32,
}

pub(crate) async fn watch(browser: &Browser, seconds: u32) -> Result<Watched> {
    let centers = shown_centers(browser).await?;
    let arguments = vec![json!(seconds * 1000), json!(centers)];
    let raw = browser.client().execute_async(WATCH, arguments).await?;
    let raw: Raw = serde_json::from_value(raw).context("what the page saw")?;
    let read = |frame: &RawFrame| Seen {
        shown_ms: frame.shown_ms,
        stamp: stamp(&frame.luma),
        rtp_time: frame.rtp_time,
    };
    Ok(Watched {
        seen: raw.frames.iter().map(read).collect(),
        decoded: raw.decoded,
        seconds: raw.seconds,
        loudest: raw.loudest,
        quietest: raw.quietest,
    })
}

/// Reads the strip of the picture that is shown now.
pub(crate) async fn shown(browser: &Browser) -> Result<Option<Stamp>> {
    let centers = shown_centers(browser).await?;
    let luma = browser.run(SHOWN, vec![json!(centers)]).await?;
    let luma: Vec<u8> = serde_json::from_value(luma).context("the strip's luma")?;
    Ok(stamp(&luma))
}

/// Where the strip of the played picture is, once there is one.
async fn shown_centers(browser: &Browser) -> Result<Vec<(u32, u32)>> {
    let size = browser
        .wait_until(
            "the size of the picture",
            "const v = document.querySelector('#remoteVideo video');
             return v && v.videoWidth && [v.videoWidth, v.videoHeight]",
            vec![],
        )
        .await?;
    let (width, height): (u32, u32) = serde_json::from_value(size)?;
    Ok(cell_centers(width, height))
}

/// The centres of the strip's cells in a picture of that size, row by row.
pub(crate) fn cell_centers(width: u32, height: u32) -> Vec<(u32, u32)> {
    (0..strip::ROWS)
        .flat_map(|row| (0..strip::COLUMNS).map(move |column| (column, row)))
        .map(|(column, row)| strip::cell_center(column, row, width, height))
        .collect()
}

/// Reads the strip from the luma at [`cell_centers`]; there are no cells where
/// the picture ended before them.
pub(crate) fn stamp(luma: &[u8]) -> Option<Stamp> {
    let cell = |column, row| luma.get(row * strip::COLUMNS + column).copied();
    strip::decode(|column, row| cell(column, row).unwrap_or_default())
}
