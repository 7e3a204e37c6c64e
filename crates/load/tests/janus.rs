//! A Janus as it is installed, with publishers and viewers of ours. `cargo xtask test`
//! runs this where there is one, `cargo xtask bench --against janus` gets one.

mod small;

use std::env;

use anyhow::{Context, Result, bail};
use load::results::{Outcome, Scenario};
use load::scenario::run;
use load::servers::{Server, Started};
use small::{MEDIA, TIMING};

async fn janus() -> Result<Started> {
    let program = env::var_os("TWOWAY_JANUS").context("TWOWAY_JANUS has to name Janus")?;
    let server = Server::Janus {
        program: program.into(),
        cores: Vec::new(),
    };
    server.start().await
}

async fn outcome(started: &Started, scenario: Scenario) -> Result<Outcome> {
    Ok(run(&scenario, &started.target(None)?, &TIMING, &|_| {}).await)
}

#[tokio::test]
async fn viewers_get_what_publishers_send() -> Result<()> {
    let janus = janus().await?;
    let version = janus.info.version.as_deref().unwrap_or_default();
    assert!(version.contains('.'), "{version}");
    let scenario = Scenario::Streams {
        streams: 2,
        viewers_each: 2,
        media: MEDIA,
    };
    let outcome = outcome(&janus, scenario).await?;
    let Outcome::Load(load) = &outcome else {
        bail!("{outcome:?}");
    };
    println!("{load:#?}");
    assert_eq!(load.viewers, 4);
    assert!(load.sent_packets > 0);
    assert_eq!(load.received.packets, 2 * load.sent_packets);
    assert_eq!((load.received.lost, load.received.damaged), (0, 0));
    assert_eq!(load.received.lost_frames, 0);
    let server = load.server.context("its process is known")?;
    assert!(server.idle_bytes > 0 && server.resident_bytes > server.idle_bytes);
    assert!(server.cpu_seconds > 0.0 && server.context_switches > 0);
    Ok(())
}

#[tokio::test]
async fn a_crowd_joins_by_every_phase() -> Result<()> {
    let janus = janus().await?;
    let crowd = 5;
    let scenario = Scenario::Join {
        crowd,
        media: MEDIA,
    };
    let outcome = outcome(&janus, scenario).await?;
    let Outcome::Join(join) = &outcome else {
        bail!("{outcome:?}");
    };
    println!("{join:#?}");
    assert_eq!((join.joined, join.failed), (crowd, 0));
    let phases = [
        join.answered_us,
        join.ice_us,
        join.dtls_us,
        join.first_packet_us,
        join.keyframe_us,
    ];
    assert!(phases.iter().all(|phase| phase.count == u64::from(crowd)));
    let medians = phases.map(|phase| phase.median);
    assert!(medians[0] > 0.0 && medians.is_sorted(), "{medians:?}");
    Ok(())
}
