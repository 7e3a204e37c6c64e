//! Publishes two streams in one session, the way the iOS SDK does: session,
//! streams, statuses; mute, data, stop, disconnect. Nothing is tried again.
//!
//! `cargo run -p twoway-publisher --example two_streams -- ws://localhost:8080`

use serde_json::json;
use tokio::signal::ctrl_c;
use twoway_publisher::{
    Session, SessionEvent, SessionOptions, Size, StreamName, StreamOptions, Target, TestPicture,
};

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let url = std::env::args().nth(1);
    let url = url.unwrap_or_else(|| "ws://localhost:8080".to_owned());
    let target = Target::parse(&url, Some("left"))?;

    let mut session = Session::connect(SessionOptions::new(target.server));
    session.established().await?;

    let size: Size = "640x360".parse()?;
    let picture = || TestPicture::new(size, 30);
    let mut left = session.publish(StreamOptions::new(target.name), picture());
    let mut right = StreamOptions::new(StreamName::new("right"));
    right.media.video.max_bitrate_bps = 500_000;
    let mut right = session.publish(right, picture());
    left.published().await?;
    right.published().await?;

    right.mute_audio(true);
    left.send_data(json!({ "greeting": "from the left" }));
    println!("both are on air: Ctrl-C ends them");
    loop {
        tokio::select! {
            event = session.event() => match event {
                Some(SessionEvent::Signalling(event)) => println!("{event:?}"),
                Some(SessionEvent::Notice { text, .. }) => println!("notice: {text}"),
                None => break,
            },
            _ = ctrl_c() => break,
        }
    }
    println!("left: {:?}", left.stats().video);

    left.stop();
    right.stop();
    left.ended().await?;
    right.ended().await?;
    session.disconnect();
    Ok(session.ended().await?)
}
