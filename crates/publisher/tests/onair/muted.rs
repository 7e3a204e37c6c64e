//! Pictures that are sent as they are in a file, while they are muted.

use std::net::SocketAddr;
use std::time::Duration;

use media_samples::{AV1_IVF, H264_AAC_MP4, Sample, VP8_IVF, VP9_IVF};
use tokio::task::JoinSet;
use tokio::time::timeout;
use twoway_publisher::{Input, Publisher, PublisherEvent, Sources, Track, open};
use twoway_server::{media, net};

use super::loopback::{LOOPBACK, media_config};
use super::{options, stop, until_status};

/// After so long without RTP the server ends a stream.
const RTP_TIMEOUT: Duration = Duration::from_secs(3);

/// Keyframes that are sent in a longer time than that: there are two black ones a
/// second, and half as many in the files.
const KEYFRAMES: u64 = 9;

#[tokio::test(flavor = "multi_thread")]
async fn a_file_without_sound_stays_on_air_while_it_is_muted() {
    let media = media::Config {
        rtp_timeout: RTP_TIMEOUT,
        ..media_config()
    };
    let config = net::Config::new(LOOPBACK);
    let (server, _) = net::serve(config, media).await.unwrap();
    let mut running = JoinSet::new();
    for sample in [H264_AAC_MP4, VP8_IVF, VP9_IVF, AV1_IVF] {
        running.spawn(stay_on_air(server.addr(), sample));
    }
    while let Some(stayed) = running.join_next().await {
        stayed.unwrap();
    }
    server.shutdown().await;
}

async fn stay_on_air(server: SocketAddr, sample: Sample) {
    let options = options("ws", server, &sample.name.replace('.', "-"));
    let mut publisher = Publisher::connect(options, pictures(sample));
    publisher.mute(false, true);
    until_status(&mut publisher, "PUBLISHING").await;
    while publisher.stats().video.map_or(0, |video| video.keyframes) < KEYFRAMES {
        // The numbers change without a word.
        let Ok(event) = timeout(Duration::from_millis(100), publisher.event()).await else {
            continue;
        };
        if let PublisherEvent::Reconnecting { reason, .. } = event.expect("it goes on") {
            panic!("{}: {reason}", sample.name);
        }
    }
    stop(publisher).await;
}

/// The pictures of a file, again and again.
fn pictures(sample: Sample) -> Sources {
    let file = Input::File(sample.make().unwrap());
    let source = open(&file, Some(Track::Video), true).unwrap();
    Sources::new(vec![source]).unwrap()
}
