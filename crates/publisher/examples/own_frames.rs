//! Publishes pictures drawn by code of one's own: a bar that wanders over grey.
//!
//! `cargo run -p twoway-publisher --example own_frames -- ws://localhost:8080/bar`

use std::sync::Arc;
use std::time::{Duration, Instant};

use twoway_publisher::{
    Captured, Format, Options, Picture, Publisher, Size, Source, SourceError, Target, VideoFormat,
    VideoFrame,
};

/// The whole source.
struct Bar {
    size: Size,
    next: Instant,
    frame: usize,
}

impl Source for Bar {
    fn format(&self) -> Format {
        let (size, fps) = (self.size, 30);
        Format {
            video: Some(VideoFormat::Raw { size, fps }),
            audio: None,
        }
    }

    fn next(&mut self) -> Result<Captured, SourceError> {
        std::thread::sleep(self.next.saturating_duration_since(Instant::now()));
        let capture_time = Instant::now();
        // What was missed, waiting for the server at first, is not made up for.
        self.next = (self.next + Duration::from_secs(1) / 30).max(capture_time);
        self.frame += 1;
        let mut picture = Picture::black(self.size);
        let width = self.size.width();
        for row in picture.y.chunks_mut(width) {
            row.fill(126);
            row[self.frame * 4 % (width - 8)..][..8].fill(235);
        }
        let picture = Arc::new(picture);
        Ok(Captured::Video(VideoFrame {
            capture_time,
            picture,
        }))
    }
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let url = std::env::args().nth(1);
    let url = url.unwrap_or_else(|| "ws://localhost:8080/bar".to_owned());
    let target = Target::parse(&url, None)?;
    let bar = Bar {
        size: "640x360".parse()?,
        next: Instant::now(),
        frame: 0,
    };
    let mut publisher = Publisher::connect(Options::new(target.server, target.name), bar);
    loop {
        tokio::select! {
            event = publisher.event() => match event {
                Some(event) => println!("{event:?}"),
                None => break,
            },
            _ = tokio::signal::ctrl_c() => publisher.stop(),
        }
    }
    Ok(publisher.wait().await?)
}
