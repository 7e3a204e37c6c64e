//! Layers over real sockets. How viewers go from one to another is tested in
//! virtual time, since it depends on what a machine's load does to delays.

use str0m::rtp::{RtpPacket, RtpWrite};

use super::*;

/// The layers, and the bytes of their frames. Viewers start with the larger one.
const LAYERS: [(&str, usize); 2] = [("q", 200), ("f", 1_500)];

const FRAME: Duration = Duration::from_millis(33);

/// Largest payload of a packet.
const MTU: usize = 1_000;

/// Sends a frame of each layer, keyframes where asked for.
fn send_layers(world: &mut World, sequences: &mut [u64; 2], answered: &mut usize) {
    let now = Instant::now();
    let time = ((now - world.start).as_micros() * 9 / 100) as u32;
    let publisher = &mut world.clients[0];
    let asked = publisher.client.keyframe_requests;
    let keyframe = asked > *answered || world.sent == 0;
    *answered = asked;
    for ((rid, bytes), sequence) in LAYERS.into_iter().zip(sequences) {
        let mut payload = if keyframe { KEYFRAME } else { DELTA }.to_vec();
        payload.resize(bytes, rid.as_bytes()[0]);
        let packets = payload.chunks(MTU).count();
        for (index, part) in payload.chunks(MTU).enumerate() {
            let client = &mut publisher.client;
            let mut api = client.rtc.direct_api();
            let stream = api
                .stream_tx_by_mid(client.video, Some(rid.into()))
                .unwrap();
            let pt = PUBLISHER_TYPES.video[0].pt;
            stream.write_rtp(
                RtpWrite::new(pt.into(), (*sequence).into(), time, now, part)
                    .marker(index + 1 == packets)
                    .nackable(true),
            );
            *sequence += 1;
            client.handle_timeout(now);
        }
    }
    world.sent += 1;
    publisher.send();
}

/// Packets of the layer with this letter that a viewer has got.
fn packets_of(world: &World, viewer: usize, letter: u8) -> usize {
    let packets = world.clients[viewer].client.of_kind(true);
    packets
        .filter(|p| p.payload.last() == Some(&letter))
        .count()
}

#[test]
fn a_viewer_gets_one_of_the_layers() {
    let mut world = World::new(2);
    let rids = LAYERS.map(|(rid, _)| rid);
    world.join_layers(PUBLISHER, Role::Publisher, PUBLISHER_TYPES, &rids);
    let (mut sequences, mut answered) = ([100, 200], 0);
    let mut next = Instant::now();
    let mut stream = |world: &mut World, what: &str, done: &dyn Fn(&World) -> bool| {
        world.until(what, |world| {
            if Instant::now() >= next {
                next = Instant::now() + FRAME;
                send_layers(world, &mut sequences, &mut answered);
            }
            done(world)
        });
    };
    stream(&mut world, "both layers", &|world| world.sent > 40);
    world.flowing(PUBLISHER);
    let viewer = world.play(0);
    stream(&mut world, "the larger layer", &|world| {
        packets_of(world, viewer, b'f') > 20
    });
    let client = &world.clients[viewer].client;
    let first = client.of_kind(true).next().unwrap();
    assert_eq!(first.payload[..KEYFRAME.len()], *KEYFRAME);
    let tells = |p: &RtpPacket| p.header.ext_vals.transport_cc.is_some();
    assert!(client.of_kind(true).all(tells), "feedback is asked for");
}
