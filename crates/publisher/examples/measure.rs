//! Prints what drawing and encoding the test picture cost on this machine.
//!
//! `cargo run --release -p twoway-publisher --example measure -- 1280x720 2000`

use std::time::{Duration, Instant};

use twoway_publisher::encode::{AudioConfig, AudioEncoder, VideoConfig, VideoEncoder};
use twoway_publisher::{Captured, Size, Source, TestPicture};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut arguments = std::env::args().skip(1);
    let size: Size = arguments.next().as_deref().unwrap_or("1280x720").parse()?;
    let kbps: u32 = arguments.next().as_deref().unwrap_or("2000").parse()?;
    // So fast that the source never waits: its own time is drawing.
    let mut source = TestPicture::new(size, 100_000);
    let mut video = VideoEncoder::new(VideoConfig {
        size,
        fps: 30,
        bitrate_bps: kbps * 1000,
        keyframe_interval: Duration::ZERO,
    })?;
    let mut audio = AudioEncoder::new(AudioConfig::default())?;
    let mut draw = Vec::new();
    let mut encode = Vec::new();
    let mut opus = Vec::new();
    while encode.len() < 300 {
        let start = Instant::now();
        match source.next()? {
            Captured::Video(frame) => {
                draw.push(start.elapsed());
                let start = Instant::now();
                video.encode(&frame, false)?;
                encode.push(start.elapsed());
            }
            Captured::Audio(chunk) => {
                let start = Instant::now();
                audio.encode(&chunk)?;
                opus.push(start.elapsed());
            }
            Captured::EncodedVideo(_)
            | Captured::EncodedAudio(_)
            | Captured::Nothing
            | Captured::Notice(_)
            | Captured::End => {}
        }
    }
    print("draw a picture", draw);
    print("encode a picture", encode);
    print("encode 20 ms of sound", opus);
    Ok(())
}

fn print(what: &str, mut times: Vec<Duration>) {
    times.sort();
    let ms = |at: usize| times[at].as_secs_f64() * 1000.0;
    let last = times.len() - 1;
    println!(
        "{what}: median {:.2} ms, 95th percentile {:.2} ms, most {:.2} ms",
        ms(last / 2),
        ms(last * 95 / 100),
        ms(last)
    );
}
