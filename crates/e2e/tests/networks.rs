//! The page on networks that are not perfect: lossy, narrow, without UDP, and
//! of IPv6.

use anyhow::{Context, Result};
use e2e::handmade::{Layers, publish_by_whip};
use e2e::{Browser, Conditions, Link, Server, Spy, Stage, TcpRelay, Way};

/// Ten seconds of the test picture.
const MANY_FRAMES: u64 = 300;

/// Frames that show that a picture goes on.
const SOME_FRAMES: u64 = 30;

/// A server whose clients reach its media through a link only.
async fn behind_link() -> Result<(Stage, Link)> {
    let (server, link) = Server::start_behind_link()?;
    let stage = Stage::set_with(server, Browser::start()).await?;
    Ok((stage, link))
}

#[tokio::test]
async fn the_picture_moves_with_a_tenth_of_all_packets_lost() -> Result<()> {
    let (stage, link) = behind_link().await?;
    // The publisher's packets are lost too: both of its ways, both of the viewer's.
    let lossy = Conditions::lossy(0.1);
    link.set(lossy, lossy);
    let _publisher = stage.publisher("test")?;
    let spy = Spy::hide_in(&stage.browser).await?;
    let page = stage.connected().await?;
    page.play("test").await?;

    let before = spy.playback().await?;
    let after = spy.wait_frames(MANY_FRAMES).await?;
    println!("with 10 % lost each way, from {before:?}\nto {after:?}");
    let (up, down) = link.counts();
    println!("up {up:?}, down {down:?}");
    assert!(after.retransmitted_packets_received > 0, "nothing was lost");
    page.wait_text("playStatus", "PLAYING").await?;
    stage.clear().await
}

#[tokio::test]
async fn a_squeezed_viewer_gets_a_lower_layer_and_then_the_best_again() -> Result<()> {
    let (stage, link) = behind_link().await?;
    let spy = Spy::hide_in(&stage.browser).await?;
    let page = stage.connected().await?;
    let codec = "video/VP8";
    publish_by_whip(
        &stage.browser,
        &stage.server,
        "layers",
        codec,
        Layers::Three,
    )
    .await?;
    page.play("layers").await?;
    spy.wait_playback("now.frameHeight === 540").await?;
    let peers = spy.peers().await?;

    // Room for sound and the lowest layer, at times for the one above.
    let perfect = Conditions::default();
    link.set(perfect, Conditions::limited(300_000));
    let squeezed = spy.wait_playback("now.frameHeight < 540").await?;
    println!("squeezed: {squeezed:?}");
    spy.wait_frames(SOME_FRAMES).await?;

    link.set(perfect, perfect);
    let released = spy.wait_playback("now.frameHeight === 540").await?;
    println!("released: {released:?}");
    spy.wait_frames(SOME_FRAMES).await?;
    page.wait_text("playStatus", "PLAYING").await?;
    assert_eq!(spy.peers().await?, peers, "another peer connection");
    stage.clear().await
}

#[tokio::test]
async fn media_goes_over_tcp_where_udp_is_blocked() -> Result<()> {
    let (stage, link) = behind_link().await?;
    let blocked = Conditions::lossy(1.0);
    link.set(blocked, blocked);
    let tcp = TcpRelay::start(link.address(), link.server())?;
    let spy = Spy::hide_in(&stage.browser).await?;
    let page = stage.linked("stats=1").await?;
    page.click("connectBtn").await?;
    page.publish("mirror").await?;
    page.play("mirror").await?;

    spy.wait_frames(SOME_FRAMES).await?;
    for way in [Way::In, Way::Out] {
        let route = spy.route(way).await?;
        assert_eq!(route.protocol, "tcp", "{way:?}: {route:?}");
        assert_eq!(route.remote, tcp.address().ip().to_string());
    }
    page.wait_start("statPath", "tcp, ").await?;
    let (up, down) = link.counts();
    assert!(up.lost > 0, "UDP was not even tried");
    assert_eq!((up.passed, down.passed), (0, 0));
    stage.clear().await
}

#[tokio::test]
async fn signalling_and_media_go_over_ipv6() -> Result<()> {
    let server = Server::start_ipv6().context("IPv6 is needed")?;
    let stage = Stage::set_with(server, Browser::start()).await?;
    let spy = Spy::hide_in(&stage.browser).await?;
    let page = stage.connected().await?;
    page.publish("mirror").await?;
    page.play("mirror").await?;

    spy.wait_frames(SOME_FRAMES).await?;
    for way in [Way::In, Way::Out] {
        let route = spy.route(way).await?;
        assert_eq!(route.remote, "::1", "{way:?}: {route:?}");
    }
    stage.clear().await
}
