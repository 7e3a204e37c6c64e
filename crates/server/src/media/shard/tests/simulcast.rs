//! Publishers with several layers, and viewers whose networks change.

use str0m::bwe::Bitrate;
use str0m::media::Rid;
use str0m::rtp::{RtpPacket, RtpWrite};

use super::changes::tagged;
use super::pictures::Picture;
use super::splice::{SECOND_ONE, publish, splice};
use super::*;
use crate::core::backend::SnapshotId;

/// A simulcast publisher, in its order.
pub(super) struct Sender {
    pub(super) layers: Vec<Layer>,
    /// What layers without numbered pictures send.
    pt: u8,
    frames: u64,
    /// It does not answer requests for keyframes.
    deaf: bool,
}

/// One of its encodings.
pub(super) struct Layer {
    /// `None` if there is no other one.
    rid: Option<Rid>,
    /// Of a frame. Keyframes take four times as much.
    bytes: usize,
    pub(super) on: bool,
    /// The last, of VP8; `None` if it sends H.264.
    pub(super) picture: Option<Picture>,
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

/// Where the upper half of the width is in the payload of a VP8 keyframe.
const WIDTH: usize = 8;

/// Largest payload of a packet.
const MTU: usize = 1_100;

impl Sender {
    fn new(layers: &[(&str, usize)]) -> Self {
        let layers = layers.iter().zip(1..).map(|((rid, bytes), nth)| Layer {
            rid: (!rid.is_empty()).then(|| (*rid).into()),
            bytes: *bytes,
            on: true,
            picture: None,
            sequence: 1_000 * nth,
            time: 77_777 * nth as u32,
            answered: 0,
        });
        Self {
            layers: layers.collect(),
            pt: H264,
            frames: 0,
            deaf: false,
        }
    }

    /// Without simulcast.
    fn single(bytes: usize) -> Self {
        Self::new(&[("", bytes)])
    }

    pub(super) fn layer(&mut self, rid: &str) -> &mut Layer {
        let mut layers = self.layers.iter_mut();
        layers.find(|layer| layer.rid == Some(rid.into())).unwrap()
    }
}

impl Layer {
    /// A payload that names its layer by its first letter, and its frame, and of
    /// which type it is.
    fn payload(
        &self,
        pt: u8,
        (keyframe, first): (bool, bool),
        frame: u64,
        bytes: usize,
    ) -> (u8, Vec<u8>) {
        let letter = self.rid.map_or(b'-', |rid| rid.as_bytes()[0]);
        if let Some(picture) = self.picture {
            return (VP8, picture.payload(first, keyframe, letter, bytes));
        }
        let mut payload = payload(pt, keyframe && first, letter, frame);
        payload.resize(bytes.max(payload.len()), 0);
        if pt == VP8 && keyframe && first {
            // The more it takes, the wider its picture is.
            payload[WIDTH] = (self.bytes / 1_000) as u8;
        }
        (pt, payload)
    }
}

/// The letter of a packet's layer.
fn layer_of(packet: &RtpPacket) -> char {
    packet.payload[2].into()
}

fn is_keyframe(packet: &RtpPacket) -> bool {
    packet.payload[0] == 0x67
}

fn frame_of(packet: &RtpPacket) -> u64 {
    let number = packet.payload[3..11].try_into().unwrap();
    u64::from_be_bytes(number)
}

impl World {
    /// Each time that the viewer's network was not enough: when, what is needed
    /// and what there is.
    fn shortages(&self) -> Vec<(Instant, u64, u64)> {
        let shortages = self.events.iter().filter_map(|(at, event)| match event {
            Event::NotEnoughBandwidth {
                peer: VIEWER,
                needed_bps,
                available_bps,
            } => Some((*at, *needed_bps, *available_bps)),
            _ => None,
        });
        shortages.collect()
    }

    /// Adds a publisher of these layers, flowing.
    fn publish_layers(&mut self, sender: &mut Sender) {
        let rids: Vec<_> = sender.layers.iter().filter_map(|l| l.rid).collect();
        let rids: Vec<_> = rids.iter().map(|rid| &**rid).collect();
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
    pub(super) fn send_layers(&mut self, sender: &mut Sender, span: Duration) {
        let until = self.now + span;
        while self.now < until {
            self.send_layered_frame(sender);
            self.run_for(FRAME);
        }
    }

    fn send_layered_frame(&mut self, sender: &mut Sender) {
        let now = self.now;
        let client = &mut self.clients[self.publisher];
        for layer in sender.layers.iter_mut() {
            let of_layer = |rid: &&Option<Rid>| **rid == layer.rid;
            let asked = client.keyframe_rids.iter().filter(of_layer).count();
            layer.time = layer.time.wrapping_add(FRAME.as_millis() as u32 * 90);
            if !layer.on {
                continue;
            }
            let keyframe = asked > layer.answered && !sender.deaf || sender.frames == 0;
            if keyframe {
                layer.answered = asked;
            }
            layer.picture = layer.picture.map(|last| last.next(keyframe));
            let mut left = layer.bytes * if keyframe { 4 } else { 1 };
            let mut first = true;
            while left > 0 {
                let bytes = left.min(MTU);
                left -= bytes;
                let kind = (keyframe, first);
                let (pt, payload) = layer.payload(sender.pt, kind, sender.frames, bytes);
                let (sequence, time) = (layer.sequence, layer.time);
                let mut api = client.rtc.direct_api();
                let stream = api.stream_tx_by_mid(client.video, layer.rid).unwrap();
                stream.write_rtp(
                    RtpWrite::new(pt.into(), sequence.into(), time, now, payload)
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

/// The layers that packets are of, each time it changes.
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

/// A viewer's video since some moment, in the order of its numbers.
fn video(client: &Client, since: Instant) -> Vec<&RtpPacket> {
    let packets = client.of_kind(true);
    let mut packets: Vec<_> = packets.filter(|p| p.timestamp >= since).collect();
    packets.sort_by_key(|packet| *packet.seq_no);
    packets
}

/// How long a viewer may be shown more than passes, to catch up.
const CATCHING_UP: Duration = SECOND;

/// Fails unless each change of the layer is at a keyframe, and time goes on by
/// what has passed, whatever has been lost on the way.
fn check_changes(packets: &[&RtpPacket]) {
    // A new RTP stream goes by when it arrives until its first report.
    let uncertain = (LATENCY.as_millis() as u32 + 1) * 90;
    let live = packets[0].timestamp + CATCHING_UP;
    for pair in packets.windows(2) {
        let changes = layer_of(pair[0]) != layer_of(pair[1]);
        let lost = *pair[1].seq_no - *pair[0].seq_no > 1;
        assert!(!changes || is_keyframe(pair[1]) || lost, "no keyframe");
        let frames = frame_of(pair[1]) - frame_of(pair[0]);
        let ticks = pair[1]
            .header
            .timestamp
            .wrapping_sub(pair[0].header.timestamp);
        let passed = frames as u32 * FRAME.as_millis() as u32 * 90;
        assert!(
            ticks.abs_diff(passed) <= uncertain || pair[0].timestamp < live,
            "{ticks} for {frames} frames"
        );
    }
}

/// The longest time between two packets.
fn longest_gap(packets: &[&RtpPacket]) -> Duration {
    let mut arrivals: Vec<_> = packets.iter().map(|packet| packet.timestamp).collect();
    arrivals.sort_unstable();
    let gaps = arrivals.windows(2).map(|pair| pair[1] - pair[0]);
    gaps.max().unwrap_or_default()
}

pub(super) fn three() -> Sender {
    Sender::new(&[("q", LEAST), ("h", MIDDLE), ("f", MOST)])
}

/// A world with a simulcast publisher and a viewer that has come to the best.
pub(super) fn watched(sender: &mut Sender, workers: usize) -> (World, usize) {
    let mut world = World::new(workers);
    world.publish_layers(sender);
    let viewer = world.play_layers(sender);
    world.send_layers(sender, 10 * SECOND);
    (world, viewer)
}

#[test]
fn a_viewer_starts_in_the_middle_and_goes_up() {
    for workers in [1, 2] {
        let mut sender = three();
        let (world, viewer) = watched(&mut sender, workers);
        let client = &world.clients[viewer];
        let packets = video(client, world.start);
        assert_eq!(course(&packets), "hf");
        assert!(is_keyframe(packets[0]));
        check_changes(&packets);
        assert_contiguous(&client.numbers(true));
        assert_contiguous(&client.numbers(false));
        assert!(longest_gap(&packets) < 2 * FRAME);
        assert_eq!(world.shortages(), []);
    }
}

/// Applications name and order their layers as they like.
#[test]
fn what_layers_carry_orders_them() {
    let mut sender = Sender::new(&[("f", MOST), ("q", LEAST), ("h", MIDDLE)]);
    let (world, viewer) = watched(&mut sender, 1);
    let packets = video(&world.clients[viewer], world.start);
    assert_eq!(course(&packets), "hf");
}

#[test]
fn keyframes_are_asked_of_the_layer_that_is_wanted() {
    let mut sender = three();
    let (world, _) = watched(&mut sender, 1);
    let asked = &world.clients[0].keyframe_rids;
    let of = |rid: &str| asked.iter().filter(|r| **r == Some(rid.into())).count();
    assert_eq!((of("q"), of("h"), of("f")), (0, 1, 1));
}

#[test]
fn a_squeezed_viewer_gets_less_and_then_more_again() {
    for workers in [1, 2] {
        let mut sender = three();
        let (mut world, viewer) = watched(&mut sender, workers);
        let squeezed = world.now;
        world.squeeze(viewer, Some(bps(LEAST) * 2));
        world.send_layers(&mut sender, 20 * SECOND);
        let freed = world.now;
        world.squeeze(viewer, None);
        world.send_layers(&mut sender, 30 * SECOND);
        let client = &world.clients[viewer];

        let packets = video(client, world.start);
        check_changes(&packets);
        assert_eq!(world.shortages(), []);
        // Once it is down, it stays there and nothing is lost.
        let settled: Vec<_> = video(client, squeezed + 5 * SECOND)
            .into_iter()
            .filter(|packet| packet.timestamp < freed)
            .collect();
        assert_eq!(course(&settled), "q");
        assert_contiguous(&settled.iter().map(|p| *p.seq_no).collect::<Vec<_>>());
        // And back, without a hole.
        let after = video(client, freed);
        assert!(course(&after).ends_with('f'), "{}", course(&after));
        assert_contiguous(&after.iter().map(|p| *p.seq_no).collect::<Vec<_>>());
        assert!(
            longest_gap(&packets) < 2 * SECOND,
            "{:?}",
            longest_gap(&packets)
        );
    }
}

/// What is far too much is out of the way when a keyframe of less comes.
#[test]
fn a_keyframe_of_less_finds_an_empty_queue() {
    let mut sender = three();
    let (mut world, viewer) = watched(&mut sender, 1);
    world.squeeze(viewer, Some(bps(LEAST) * 2));
    sender.deaf = true;
    world.send_layers(&mut sender, 3 * SECOND);
    sender.deaf = false;
    let heard = world.now;
    world.send_layers(&mut sender, 2 * SECOND);
    let packets = video(&world.clients[viewer], heard);
    assert_eq!(course(&packets), "q");
    check_changes(&packets);
    let numbers: Vec<_> = packets.iter().map(|packet| *packet.seq_no).collect();
    assert_contiguous(&numbers);
    assert!(is_keyframe(packets[0]));
}

#[test]
fn a_layer_that_stops_is_left_and_gone_back_to() {
    let mut sender = three();
    let (mut world, viewer) = watched(&mut sender, 2);
    sender.layer("f").on = false;
    world.send_layers(&mut sender, 5 * SECOND);
    sender.layer("f").on = true;
    world.send_layers(&mut sender, 5 * SECOND);
    sender.layer("h").on = false;
    sender.layer("f").on = false;
    world.send_layers(&mut sender, 5 * SECOND);
    let client = &world.clients[viewer];
    let packets = video(client, world.start);
    assert_eq!(course(&packets), "hfhfq");
    check_changes(&packets);
    assert_contiguous(&client.numbers(true));
    let gap = longest_gap(&packets);
    assert!(gap < SECOND / 2, "{gap:?}");
}

#[test]
fn a_viewer_of_a_layer_that_starts_anew_goes_on() {
    let mut sender = three();
    let (mut world, viewer) = watched(&mut sender, 1);
    let client = &mut world.clients[0];
    let mut api = client.rtc.direct_api();
    let rid = Some("f".into());
    let old = api.stream_tx_by_mid(client.video, rid).unwrap().ssrc();
    api.remove_stream_tx(old);
    let (ssrc, rtx) = (api.new_ssrc(), api.new_ssrc());
    api.declare_stream_tx(ssrc, Some(rtx), client.video, rid);
    sender.layer("f").sequence = 7;
    sender.layer("f").time = 1;
    let changed = world.now;
    world.send_layers(&mut sender, 5 * SECOND);
    let client = &world.clients[viewer];
    assert!(course(&video(client, changed + SECOND)).ends_with('f'));
    check_changes(&video(client, world.start));
    assert_contiguous(&client.numbers(true));
}

#[test]
fn less_than_the_least_layer_is_not_enough() {
    let mut sender = three();
    let (mut world, viewer) = watched(&mut sender, 2);
    let squeezed = world.now;
    world.squeeze(viewer, Some(bps(LEAST) / 2));
    world.send_layers(&mut sender, 20 * SECOND);
    let told = world.shortages();
    assert!((2..=4).contains(&told.len()), "{told:?}");
    for (at, needed, available) in &told {
        assert!(*at > squeezed);
        assert!(needed.abs_diff(bps(LEAST)) < bps(LEAST) / 4, "{needed}");
        assert!(available < needed);
    }
    world.squeeze(viewer, None);
    world.send_layers(&mut sender, 20 * SECOND);
    let freed = world.now;
    world.send_layers(&mut sender, 20 * SECOND);
    assert!(world.shortages().iter().all(|(at, ..)| *at < freed));
}

/// A single stream needs no feedback of its own: loss tells.
#[test]
fn a_single_stream_on_a_squeezed_link_is_not_enough() {
    let mut sender = Sender::single(MIDDLE);
    let (mut world, viewer) = watched(&mut sender, 2);
    assert_eq!(world.shortages(), []);
    world.squeeze(viewer, Some(bps(MIDDLE) / 2));
    world.send_layers(&mut sender, 20 * SECOND);
    let told = world.shortages();
    assert!((2..=4).contains(&told.len()), "{told:?}");
    for (_, needed, available) in &told {
        assert!(needed.abs_diff(bps(MIDDLE)) < bps(MIDDLE) / 4, "{needed}");
        assert!(available < needed);
    }
}

/// Lets a viewer say what it takes its network to carry.
fn say_remb(world: &mut World, viewer: usize, bps: u64) {
    let client = &mut world.clients[viewer];
    let video = client.video;
    let mut api = client.rtc.direct_api();
    let stream = api.stream_rx_by_mid(video, None).unwrap();
    stream.request_remb(Bitrate::bps(bps));
    client.handle_timeout(world.now);
}

#[test]
fn a_viewers_own_estimate_counts_too() {
    let mut sender = Sender::single(MIDDLE);
    let (mut world, viewer) = watched(&mut sender, 1);
    for bps in [bps(MIDDLE) / 2, bps(MIDDLE) * 2] {
        for _ in 0..10 {
            say_remb(&mut world, viewer, bps);
            world.send_layers(&mut sender, SECOND);
        }
    }
    let told: Vec<_> = world.shortages().iter().map(|t| t.2).collect();
    assert_eq!(told, [bps(MIDDLE) / 2; 2]);
}

/// A viewer without transport-wide feedback: its own estimate brings it down,
/// and the next layer is tried when there is no reason not to.
#[test]
fn a_viewer_that_tells_little_gets_layers_too() {
    let mut world = World::new(2);
    let mut sender = three();
    world.publish_layers(&mut sender);
    world.edit_offers = |offer| offer.replace("transport-cc", "unheard-of");
    let viewer = world.play_layers(&mut sender);
    world.send_layers(&mut sender, 10 * SECOND);
    let start = world.start;
    assert_eq!(course(&video(&world.clients[viewer], start)), "hf");
    for _ in 0..10 {
        say_remb(&mut world, viewer, bps(MIDDLE));
        world.send_layers(&mut sender, SECOND);
    }
    assert_eq!(course(&video(&world.clients[viewer], start)), "hfq");
    for _ in 0..20 {
        say_remb(&mut world, viewer, bps(MOST) * 2);
        world.send_layers(&mut sender, SECOND);
    }
    let packets = video(&world.clients[viewer], start);
    assert_eq!(course(&packets), "hfqhf");
    check_changes(&packets);
    assert_contiguous(&world.clients[viewer].numbers(true));
}

/// A single stream is sent as it ever was: without transport-wide numbers.
#[test]
fn a_single_stream_costs_no_feedback() {
    let transport = |sender: &mut Sender| {
        let (world, viewer) = watched(sender, 1);
        let packets = video(&world.clients[viewer], world.start);
        packets
            .iter()
            .filter(|p| p.header.ext_vals.transport_cc.is_some())
            .count()
    };
    assert_eq!(transport(&mut Sender::single(MIDDLE)), 0);
    assert!(transport(&mut three()) > 0);
}

#[test]
fn layers_are_one_stream_to_whoever_is_told_its_rate() {
    let mut sender = three();
    let (world, _) = watched(&mut sender, 1);
    let (_, rate) = *world.rates(PUBLISHER).last().unwrap();
    let all = bps(LEAST) + bps(MIDDLE) + bps(MOST);
    assert!(rate.bitrate_bps.abs_diff(all) < all / 10, "{rate:?}");
    assert!((29.0..=31.0).contains(&rate.fps), "{rate:?}");
    let told = world.rates(PUBLISHER).len();
    assert!((11..=15).contains(&told), "{told} in 13 s");
}

/// The layer of the keyframe that a picture is taken of.
fn pictured(world: &mut World) -> char {
    let (request, source) = (SnapshotId(1), PUBLISHER);
    world.command(Message::Snapshot { request, source });
    let mut keyframes = world.shards[SOURCE_WORKER.0].outbox.keyframes.drain(..);
    let (_, keyframe) = keyframes.next().unwrap();
    keyframe.packets[0].payload[2].into()
}

#[test]
fn a_picture_is_taken_of_the_largest_layer_that_flows() {
    let mut world = World::new(1);
    let mut sender = Sender::new(&[("f", MOST), ("h", MIDDLE), ("q", LEAST)]);
    sender.pt = VP8;
    world.publish_layers(&mut sender);
    assert_eq!(pictured(&mut world), 'f');
    sender.layer("f").on = false;
    world.send_layers(&mut sender, SECOND);
    assert_eq!(pictured(&mut world), 'h');
}

#[test]
fn a_viewer_of_layers_goes_on_with_a_publisher_that_has_none() {
    for workers in [1, 2] {
        let mut world = World::with(workers, Config::default());
        let mut sender = Sender::new(&[("q", LEAST), ("h", MIDDLE), ("f", MOST)]);
        world.publish_layers(&mut sender);
        let viewer = world.play_layers(&mut sender);
        world.send_layers(&mut sender, 5 * SECOND);
        let shown = video(&world.clients[viewer], world.now - SECOND);
        assert_eq!(layer_of(shown[shown.len() - 1]), 'f', "the third");
        world.close(PUBLISHER);
        world.run_for(5 * SECOND);
        publish(&mut world, SECOND_ONE, 0, PUBLISHER_TYPES);
        world.command(splice(&world, SECOND_ONE, 0));
        world.stream(3 * SECOND);
        let after = tagged(&world.clients[viewer], 1);
        assert!(after.len() > 80, "{} after the splice", after.len());
        assert_eq!(world.ends(VIEWER, world.start), []);
    }
}

/// With nothing acknowledged, nothing is known of the network, and what is sent
/// must not pile up behind the estimate.
#[test]
fn what_a_viewer_never_acknowledges_does_not_pile_up() {
    let mut sender = three();
    let (mut world, viewer) = watched(&mut sender, 1);
    world.lose(viewer, |datagram| datagram[0] >= 128, |_| true);
    for second in 0..60 {
        world.send_layers(&mut sender, SECOND);
        let waiting = world.waiting(VIEWER);
        // A keyframe of the largest layer, and what follows in half a second.
        assert!(waiting <= MOST * 20, "{waiting} bytes after {second} s");
    }
    assert_eq!(world.ends(VIEWER, world.start), []);
}

/// A viewer of a single stream that was spliced to a publisher with layers, over
/// a link that carries the least of them: what it is shown in the end, and
/// whether its client can tell how that comes through.
fn spliced_to_layers(answer_all_codecs: bool, workers: usize) -> (String, bool) {
    let config = Config {
        answer_all_codecs,
        ..Config::default()
    };
    let mut world = World::with(workers, config);
    let mut single = Sender::single(LEAST);
    world.publish_layers(&mut single);
    let viewer = world.play_layers(&mut single);
    world.close(PUBLISHER);
    world.publisher = world.open_layers(SECOND_ONE, Role::Publisher, &["q", "h", "f"]);
    world.run_for(SECOND);
    let mut sender = three();
    world.send_layers(&mut sender, 2 * SECOND);
    world.command(splice(&world, SECOND_ONE, SOURCE_WORKER.0));
    world.squeeze(viewer, Some(bps(LEAST) * 2));
    world.send_layers(&mut sender, 20 * SECOND);
    let packets = video(&world.clients[viewer], world.now - 5 * SECOND);
    let mut numbers = packets.iter().map(|p| p.header.ext_vals.transport_cc);
    (course(&packets), numbers.all(|number| number.is_some()))
}

/// A viewer of a single stream gives no transport-wide feedback, which would cost as
/// much as all else that is done for it. Loss tells that the largest layers are not
/// for it.
#[test]
fn a_viewer_of_a_single_stream_that_is_spliced_to_layers_goes_by_loss() {
    for (answer_all_codecs, workers) in [(false, 1), (true, 1), (true, 2)] {
        let (course, tells) = spliced_to_layers(answer_all_codecs, workers);
        assert!(!tells);
        assert_eq!(course, "q");
    }
}
