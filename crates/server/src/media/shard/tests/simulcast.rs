//! Publishers with several layers, and viewers whose networks change.

use str0m::media::Rid;
use str0m::rtp::{RtpPacket, RtpWrite};

use super::*;

/// A simulcast publisher, in its order.
struct Sender {
    layers: Vec<Layer>,
    frames: u64,
}

/// One of its encodings.
struct Layer {
    rid: Rid,
    /// Of a frame. Keyframes take four times as much.
    bytes: usize,
    on: bool,
    sequence: u64,
    time: u32,
    answered: usize,
}

/// Bits a second of a layer with frames of so many bytes.
const fn bps(bytes: usize) -> u64 {
    bytes as u64 * 8 * 1_000 / FRAME.as_millis() as u64
}

const LEAST: usize = 600;
const MIDDLE: usize = 2_000;
const MOST: usize = 6_000;

/// Largest payload of a packet.
const MTU: usize = 1_100;

impl Sender {
    fn new(layers: &[(&str, usize)]) -> Self {
        let layers = layers.iter().zip(1..).map(|((rid, bytes), nth)| Layer {
            rid: (*rid).into(),
            bytes: *bytes,
            on: true,
            sequence: 1_000 * nth,
            time: 77_777 * nth as u32,
            answered: 0,
        });
        Self {
            layers: layers.collect(),
            frames: 0,
        }
    }

    fn layer(&mut self, rid: &str) -> &mut Layer {
        let mut layers = self.layers.iter_mut();
        layers.find(|layer| *layer.rid == *rid).unwrap()
    }
}

/// A payload that names its layer by its first letter, and its frame.
fn layer_payload(rid: Rid, keyframe: bool, frame: u64, bytes: usize) -> Vec<u8> {
    let mut payload = payload(H264, keyframe, rid.as_bytes()[0], frame);
    payload.resize(bytes.max(payload.len()), 0);
    payload
}

/// The letter of a packet's layer.
fn layer_of(packet: &RtpPacket) -> char {
    packet.payload[2].into()
}

fn is_keyframe(packet: &RtpPacket) -> bool {
    packet.payload[0] == 0x67
}

impl World {
    /// Adds a publisher of these layers, flowing.
    fn publish_layers(&mut self, sender: &mut Sender) {
        let rids: Vec<_> = sender.layers.iter().map(|l| l.rid.to_string()).collect();
        let rids: Vec<_> = rids.iter().map(String::as_str).collect();
        self.open_layers(PUBLISHER, Role::Publisher, &rids);
        self.run_for(SECOND);
        assert!(self.clients[0].connected);
        self.send_layers(sender, 2 * SECOND);
    }

    /// Adds a player, connected.
    fn play_layers(&mut self, sender: &mut Sender) -> usize {
        let source = PUBLISHER;
        let index = self.open(VIEWER, Role::Player { source });
        self.send_layers(sender, SECOND);
        assert!(self.has_seen(&Event::Flowing { peer: VIEWER }));
        index
    }

    /// Lets the publisher send for so long.
    fn send_layers(&mut self, sender: &mut Sender, span: Duration) {
        let until = self.now + span;
        while self.now < until {
            self.send_layered_frame(sender);
            self.run_for(FRAME);
        }
    }

    fn send_layered_frame(&mut self, sender: &mut Sender) {
        let now = self.now;
        let client = &mut self.clients[0];
        for layer in sender.layers.iter_mut() {
            let of_layer = |rid: &&Option<Rid>| **rid == Some(layer.rid);
            let asked = client.keyframe_rids.iter().filter(of_layer).count();
            layer.time = layer.time.wrapping_add(FRAME.as_millis() as u32 * 90);
            if !layer.on {
                continue;
            }
            let keyframe = asked > layer.answered || sender.frames == 0;
            layer.answered = asked;
            let mut left = layer.bytes * if keyframe { 4 } else { 1 };
            let mut first = true;
            while left > 0 {
                let bytes = left.min(MTU);
                left -= bytes;
                let payload = layer_payload(layer.rid, keyframe && first, sender.frames, bytes);
                let (sequence, time) = (layer.sequence, layer.time);
                let mut api = client.rtc.direct_api();
                let stream = api.stream_tx_by_mid(client.video, Some(layer.rid)).unwrap();
                stream.write_rtp(
                    RtpWrite::new(H264.into(), sequence.into(), time, now, payload)
                        .marker(left == 0)
                        .nackable(true),
                );
                client.handle_timeout(now);
                layer.sequence += 1;
                first = false;
            }
        }
        let time = sender.frames as u32 * FRAME.as_millis() as u32 * 48;
        client.write(None, (sender.frames + 1, time), now, &[0xfc, 0], now);
        sender.frames += 1;
        self.obey();
    }
}

/// The layers that a viewer got, in order of its packets, each time it changed.
fn course(packets: &[&RtpPacket]) -> String {
    let mut course = String::new();
    for packet in packets {
        let layer = layer_of(packet);
        if !course.ends_with(layer) {
            course.push(layer);
        }
    }
    course
}

/// A viewer's video in the order of its numbers.
fn video(client: &Client) -> Vec<&RtpPacket> {
    let mut packets: Vec<_> = client.of_kind(true).collect();
    packets.sort_by_key(|packet| *packet.seq_no);
    packets
}

/// Fails unless each change of the layer is at a keyframe, no number is missing,
/// and time goes on by frames.
fn check_picture(client: &Client) {
    assert_contiguous(&client.numbers(true));
    let packets = video(client);
    assert!(is_keyframe(packets[0]));
    for pair in packets.windows(2) {
        let changes = layer_of(pair[0]) != layer_of(pair[1]);
        assert!(
            !changes || is_keyframe(pair[1]),
            "changes without a keyframe"
        );
        let ticks = pair[1]
            .header
            .timestamp
            .wrapping_sub(pair[0].header.timestamp);
        let passed = pair[1]
            .timestamp
            .saturating_duration_since(pair[0].timestamp);
        assert!(ticks < 3 * 33 * 90, "time leaps by {ticks} in {passed:?}");
    }
}

fn three() -> Sender {
    Sender::new(&[("q", LEAST), ("h", MIDDLE), ("f", MOST)])
}

#[test]
fn a_viewer_gets_the_best_layer() {
    for workers in [1, 2] {
        let mut world = World::new(workers);
        let mut sender = three();
        world.publish_layers(&mut sender);
        let viewer = world.play_layers(&mut sender);
        world.send_layers(&mut sender, 10 * SECOND);
        let client = &world.clients[viewer];
        println!("{}", course(&video(client)));
        check_picture(client);
        let packets = video(client);
        assert_eq!(layer_of(packets.last().unwrap()), 'f');
    }
}

#[test]
fn a_squeezed_viewer_gets_less_and_then_more_again() {
    let mut world = World::new(1);
    let mut sender = three();
    world.publish_layers(&mut sender);
    let viewer = world.play_layers(&mut sender);
    world.send_layers(&mut sender, 10 * SECOND);
    println!("{}", course(&video(&world.clients[viewer])));
    println!(
        "least {} middle {} most {}",
        bps(LEAST),
        bps(MIDDLE),
        bps(MOST)
    );
    world.squeeze(viewer, Some(bps(LEAST) * 2));
    world.send_layers(&mut sender, 20 * SECOND);
    println!("{}", course(&video(&world.clients[viewer])));
    world.squeeze(viewer, None);
    world.send_layers(&mut sender, 30 * SECOND);
    println!("{}", course(&video(&world.clients[viewer])));
    check_picture(&world.clients[viewer]);
}
