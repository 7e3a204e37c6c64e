//! Players that go on with another publisher: what their clients see is one
//! stream that had a pause.

use super::changes::tagged;
use super::*;

/// The publishers that come after the first.
pub(super) const SECOND_ONE: PeerId = PeerId(2);
const THIRD_ONE: PeerId = PeerId(3);

/// The frame with this number is a keyframe, asked for or not.
const FIRST_KEYFRAME: u64 = 65_500;

/// How long nobody publishes.
const PAUSE: Duration = Duration::from_secs(10);

/// Of publishers and viewers that have one codec in common, or none.
const H264_ONLY: PayloadTypes = PayloadTypes {
    opus: 111,
    video: &[PUBLISHER_TYPES.video[0]],
};
const VP8_ONLY: PayloadTypes = PayloadTypes {
    opus: 111,
    video: &[PUBLISHER_TYPES.video[1]],
};

/// Opens one more publisher and lets it flow; it is the one that sends from now
/// on, with numbers that have nothing to do with the ones before.
pub(super) fn publish(world: &mut World, peer: PeerId, worker: usize, types: PayloadTypes) {
    publish_from(world, peer, worker, types, 300 * peer.0);
}

/// The same with a number to begin with.
fn publish_from(
    world: &mut World,
    peer: PeerId,
    worker: usize,
    types: PayloadTypes,
    sequence: u64,
) {
    let index = world.clients.len();
    let local = client_address(index);
    let (mut client, offer) = Client::offer(local, Direction::SendOnly, types, &[], world.now);
    let wishes = Wishes::default();
    tell(
        world,
        worker,
        Message::OpenPublisher {
            peer,
            offer,
            wishes,
        },
    );
    world.obey();
    let answer = world.events.iter().find_map(|(_, event)| match event {
        Event::Answered {
            peer: p, answer, ..
        } if *p == peer => Some(answer),
        _ => None,
    });
    client.accept(answer.unwrap());
    world.clients.push(client);
    world.publisher = index;
    world.source = Source {
        pt: types.video[0].pt,
        sequence,
        time: 1_000_000 * peer.0 as u32,
        audio_time: 77,
        answered: 0,
        deaf: false,
        video_delay: world.source.video_delay,
        sent: Vec::new(),
        tag: world.source.tag + 1,
    };
    world.run_for(SECOND);
    world.stream(FRAME);
    assert!(world.has_seen(&Event::Flowing { peer }));
}

/// Gives one shard a message, and leaves what it makes of it to be delivered.
fn tell(world: &mut World, worker: usize, message: Message) {
    world.shards[worker].handle_message(message, world.now);
}

/// Delivers what one shard has for others, and nothing that comes of it.
fn deliver(world: &mut World, from: usize) {
    let messages: Vec<_> = world.shards[from].outbox.messages.drain(..).collect();
    for (worker, message) in messages {
        tell(world, worker.0, message);
    }
}

/// The viewer's source is `source` on `worker` from now on.
pub(super) fn splice(world: &World, source: PeerId, worker: usize) -> Message {
    Message::SplicePlayer {
        peer: VIEWER,
        home: WorkerId(world.shards.len() - 1),
        source,
        source_worker: WorkerId(worker),
    }
}

fn close_viewer(world: &World) -> Message {
    Message::ClosePlayer {
        peer: VIEWER,
        home: WorkerId(world.shards.len() - 1),
    }
}

/// A stream and its viewer, and then nobody publishes for a while; the viewer.
fn interrupted(workers: usize, config: Config) -> (World, usize) {
    let mut world = World::with(workers, config);
    world.publish();
    let viewer = world.play();
    world.close(PUBLISHER);
    world.run_for(PAUSE);
    assert_eq!(world.ends(VIEWER, world.start), []);
    (world, viewer)
}

/// Everything is over and nothing stays of it.
fn end(mut world: World) {
    world.command(close_viewer(&world));
    for worker in 0..world.shards.len() {
        for peer in [PUBLISHER, SECOND_ONE, THIRD_ONE] {
            tell(&mut world, worker, Message::ClosePublisher { peer });
        }
    }
    world.obey();
    world.assert_empty();
}

/// Time in the viewer's stream goes on as it really does, and so do its numbers.
fn check_continuity(client: &Client) {
    for (video, rate) in [(true, 90_000.0), (false, 48_000.0)] {
        assert_contiguous(&client.numbers(video));
        let packets: Vec<_> = client.of_kind(video).collect();
        let ssrc = packets[0].header.ssrc;
        assert!(packets.iter().all(|p| p.header.ssrc == ssrc));
        for pair in packets.windows(2) {
            let ticks = pair[1]
                .header
                .timestamp
                .wrapping_sub(pair[0].header.timestamp);
            let told = f64::from(ticks) / rate;
            let real = pair[1].timestamp.duration_since(pair[0].timestamp);
            let off = (told - real.as_secs_f64()).abs();
            assert!(ticks > 0 && off < 0.05, "{told} s in {real:?}");
        }
    }
}

/// A viewer goes on with a publisher on `worker`.
fn check(workers: usize, worker: usize) {
    let (mut world, viewer) = interrupted(workers, Config::default());
    let asked = world.clients.len();
    publish(&mut world, SECOND_ONE, worker, PUBLISHER_TYPES);
    let spliced = world.now;
    world.command(splice(&world, SECOND_ONE, worker));
    world.stream(5 * SECOND);
    assert!(world.clients[asked].keyframe_requests > 0);
    let client = &world.clients[viewer];
    let after = tagged(client, 1);
    let keyframe = payload(H264, true, 1, 0);
    assert_eq!(after[0].payload[..3], keyframe[..3]);
    let waited = after[0].timestamp.duration_since(spliced);
    assert!(waited < 2 * FRAME + 4 * LATENCY, "{waited:?}");
    assert!(after.len() > 140, "{} after the splice", after.len());
    assert!(after.iter().all(|p| *p.header.payload_type == 126));
    check_continuity(client);
    assert_eq!(world.ends(VIEWER, world.start), []);
    end(world);
}

#[test]
fn a_viewer_goes_on_with_the_next_publisher_wherever_that_is() {
    for (workers, worker) in [(1, 0), (2, 0), (2, 1), (3, 0), (3, 1), (3, 2)] {
        check(workers, worker);
    }
}

#[test]
fn the_next_publishers_first_keyframe_is_not_missed() {
    for (workers, worker) in [(1, 0), (3, 1)] {
        let (mut world, viewer) = interrupted(workers, Config::default());
        let types = PUBLISHER_TYPES;
        publish_from(&mut world, SECOND_ONE, worker, types, FIRST_KEYFRAME);
        world.source.deaf = true;
        world.stream(9 * FRAME);
        world.command(splice(&world, SECOND_ONE, worker));
        world.stream(3 * SECOND);
        let client = &world.clients[viewer];
        let after = tagged(client, 1);
        let keyframe = payload(H264, true, 1, FIRST_KEYFRAME);
        assert_eq!(after[0].payload.to_vec(), keyframe);
        assert_eq!(
            after.len(),
            10 + (3 * SECOND).div_duration_f64(FRAME).ceil() as usize
        );
        check_continuity(client);
        end(world);
    }
}

#[test]
fn audio_and_video_stay_together() {
    let mut world = World::new(2);
    let delay = Duration::from_millis(200);
    world.source.video_delay = delay;
    world.publish();
    let viewer = world.play();
    world.close(PUBLISHER);
    world.run_for(PAUSE);
    publish(&mut world, SECOND_ONE, 1, PUBLISHER_TYPES);
    world.command(splice(&world, SECOND_ONE, 1));
    world.stream(4 * SECOND);
    for _ in 0..60 {
        world.stream(FRAME);
        let client = &world.clients[viewer];
        let older = sync::moment(client, false) - sync::moment(client, true);
        let off = (older - delay.as_secs_f64()).abs();
        assert!(off < 0.005, "off by {off} s");
    }
    assert!(tagged(&world.clients[viewer], 1).len() > 150);
}

#[test]
fn what_is_lost_around_the_splice_is_sent_again() {
    let (mut world, viewer) = interrupted(2, Config::default());
    publish(&mut world, SECOND_ONE, 1, PUBLISHER_TYPES);
    // The first packets of the new stream, and one in ten of all.
    world.lose(viewer, is_rtp, |n| n < 3 || n % 10 == 5);
    world.command(splice(&world, SECOND_ONE, 1));
    world.stream(5 * SECOND);
    world.network.losses.clear();
    world.stream(SECOND);
    assert_contiguous(&world.clients[viewer].numbers(true));
    end(world);
}

#[test]
fn publishers_that_were_spliced_on_may_change_their_codec_too() {
    let (mut world, viewer) = interrupted(1, Config::default());
    for (peer, epochs) in [(SECOND_ONE, 2), (THIRD_ONE, 1)] {
        publish(&mut world, peer, 0, PUBLISHER_TYPES);
        world.command(splice(&world, peer, 0));
        for _ in 0..epochs {
            world.stream(SECOND);
            world.source.pt = if world.source.pt == H264 { VP8 } else { H264 };
        }
        world.stream(SECOND);
        world.command(Message::ClosePublisher { peer });
        world.run_for(PAUSE);
    }
    check_continuity(&world.clients[viewer]);
    assert!(tagged(&world.clients[viewer], 2).len() > 50);
    end(world);
}

/// A viewer of an H.264 stream goes on with VP8, if its answer took that.
fn check_codec(answer_all_codecs: bool) {
    let config = Config {
        answer_all_codecs,
        ..Config::default()
    };
    let mut world = World::with(2, config);
    publish(&mut world, PUBLISHER, 0, H264_ONLY);
    let source = PUBLISHER;
    let viewer = world.open(VIEWER, Role::Player { source });
    world.stream(SECOND);
    world.close(PUBLISHER);
    world.run_for(PAUSE);
    publish(&mut world, SECOND_ONE, 1, VP8_ONLY);
    let spliced = world.now;
    world.command(splice(&world, SECOND_ONE, 1));
    world.stream(3 * SECOND);
    if answer_all_codecs {
        let client = &world.clients[viewer];
        let after = tagged(client, 2);
        assert!(after.len() > 70, "{} after the splice", after.len());
        assert!(after.iter().all(|p| *p.header.payload_type == 120));
        check_continuity(client);
    } else {
        let ends = world.ends(VIEWER, spliced);
        assert_eq!(ends, [(Duration::ZERO, EndReason::TranscodingNeeded)]);
    }
    end(world);
}

#[test]
fn a_viewer_goes_on_in_another_codec_if_it_was_answered_with_it() {
    check_codec(true);
    check_codec(false);
}

#[test]
fn a_viewer_that_is_still_connecting_gets_the_next_stream() {
    for worker in [0, 1] {
        let mut world = World::new(2);
        world.publish();
        let source = PUBLISHER;
        let viewer = world.open(VIEWER, Role::Player { source });
        world.cut(viewer);
        world.close(PUBLISHER);
        publish(&mut world, SECOND_ONE, worker, PUBLISHER_TYPES);
        world.command(splice(&world, SECOND_ONE, worker));
        world.stream(FRAME);
        assert!(!world.clients[viewer].connected);
        world.network.losses.clear();
        world.stream(5 * SECOND);
        let client = &world.clients[viewer];
        assert_eq!(tagged(client, 0).len(), 0);
        assert!(tagged(client, 1).len() > 30);
        check_continuity(client);
        end(world);
    }
}

#[test]
fn a_viewer_that_has_just_caught_up_goes_on_with_the_next_stream() {
    for worker in [0, 1] {
        let mut world = World::new(2);
        world.publish();
        // It starts with a group that is some seconds old.
        world.source.deaf = true;
        world.stream(3 * SECOND);
        let source = PUBLISHER;
        let viewer = world.open(VIEWER, Role::Player { source });
        world.stream(SECOND);
        world.close(PUBLISHER);
        publish(&mut world, SECOND_ONE, worker, PUBLISHER_TYPES);
        world.command(splice(&world, SECOND_ONE, worker));
        world.stream(3 * SECOND);
        let client = &world.clients[viewer];
        assert!(tagged(client, 0).len() > 100);
        assert!(tagged(client, 1).len() > 80);
        check_continuity(client);
        end(world);
    }
}

#[test]
fn a_stream_without_video_leaves_the_last_picture() {
    let (mut world, viewer) = interrupted(2, Config::default());
    publish(&mut world, SECOND_ONE, 1, PUBLISHER_TYPES);
    world.command(splice(&world, SECOND_ONE, 1));
    // Its video never comes to where it is taken for anything.
    world.source.pt = 97;
    let before = world.clients[viewer].of_kind(true).count();
    for _ in 0..30 {
        let (now, number) = (world.now, world.source.sequence);
        let sound = (number, world.source.audio_time);
        let publisher = world.publisher;
        world.clients[publisher].write(None, sound, now, &[0xfc, 1], now);
        world.source.sequence += 1;
        world.source.audio_time += FRAME.as_millis() as u32 * 48;
        world.obey();
        world.run_for(FRAME);
    }
    let client = &world.clients[viewer];
    assert_eq!(client.of_kind(true).count(), before);
    let sounds = client.of_kind(false).filter(|p| p.payload[1] == 1);
    assert!(sounds.count() >= 29);
    assert_contiguous(&client.numbers(false));
    assert_eq!(world.ends(VIEWER, world.start), []);
    end(world);
}

/// Three shards: the first publisher's, where the second one and the third are
/// too or not, and the viewer's.
const FIRST: usize = 0;
const OTHER: usize = 1;
const HOME: usize = 2;

#[test]
fn a_viewer_that_is_closed_under_way_is_counted_nowhere() {
    // How far the splice has come: the viewer's worker, the new source's, or back.
    for hops in 0..4 {
        let (mut world, _) = interrupted(3, Config::default());
        publish(&mut world, SECOND_ONE, OTHER, PUBLISHER_TYPES);
        let (spliced, closed) = (splice(&world, SECOND_ONE, OTHER), close_viewer(&world));
        tell(&mut world, FIRST, spliced);
        for from in [FIRST, HOME, OTHER].into_iter().take(hops) {
            deliver(&mut world, from);
        }
        tell(&mut world, FIRST, closed);
        world.obey();
        assert!(world.shards[OTHER].subscribers.is_empty(), "{hops} hops");
        end(world);
    }
}

#[test]
fn a_viewer_that_is_sent_on_under_way_ends_up_with_the_last() {
    for hops in 0..4 {
        let (mut world, viewer) = interrupted(3, Config::default());
        publish(&mut world, SECOND_ONE, OTHER, PUBLISHER_TYPES);
        publish(&mut world, THIRD_ONE, FIRST, PUBLISHER_TYPES);
        let first = splice(&world, SECOND_ONE, OTHER);
        tell(&mut world, FIRST, first);
        for from in [FIRST, HOME, OTHER].into_iter().take(hops) {
            deliver(&mut world, from);
        }
        let second = splice(&world, THIRD_ONE, FIRST);
        tell(&mut world, FIRST, second);
        world.obey();
        world.stream(2 * SECOND);
        assert!(world.shards[OTHER].subscribers.is_empty(), "{hops} hops");
        assert!(tagged(&world.clients[viewer], 2).len() > 40);
        check_continuity(&world.clients[viewer]);
        end(world);
    }
}

#[test]
fn a_viewer_whose_next_source_is_gone_waits_for_another() {
    for workers in [1, 3] {
        let (mut world, viewer) = interrupted(workers, Config::default());
        let worker = workers / 2;
        world.command(splice(&world, SECOND_ONE, worker));
        world.run_for(PAUSE);
        assert_eq!(world.ends(VIEWER, world.start), []);
        publish(&mut world, THIRD_ONE, FIRST, PUBLISHER_TYPES);
        world.command(splice(&world, THIRD_ONE, FIRST));
        world.stream(2 * SECOND);
        assert!(tagged(&world.clients[viewer], 1).len() > 40);
        check_continuity(&world.clients[viewer]);
        end(world);
    }
}

#[test]
fn a_viewer_that_waits_can_be_closed() {
    let (mut world, _) = interrupted(3, Config::default());
    world.command(splice(&world, SECOND_ONE, OTHER));
    assert!(!world.shards[HOME].moving.is_empty());
    end(world);
}

#[test]
fn a_viewer_ends_with_the_worker_of_its_next_source() {
    for hops in 1..4 {
        let (mut world, _) = interrupted(3, Config::default());
        publish(&mut world, SECOND_ONE, OTHER, PUBLISHER_TYPES);
        let spliced = splice(&world, SECOND_ONE, OTHER);
        tell(&mut world, FIRST, spliced);
        for from in [FIRST, HOME, OTHER].into_iter().take(hops) {
            deliver(&mut world, from);
        }
        // What was for the failed worker is lost.
        let failed = world.now;
        let worker = WorkerId(OTHER);
        tell(&mut world, HOME, Message::WorkerGone { worker });
        for shard in &mut world.shards {
            shard.outbox.messages.retain(|(to, _)| *to != worker);
        }
        world.obey();
        let ends = world.ends(VIEWER, failed);
        assert_eq!(ends, [(Duration::ZERO, EndReason::Internal)], "{hops} hops");
        assert!(world.shards[HOME].peers.is_empty());
        assert!(world.shards[HOME].audiences.is_empty());
        assert!(world.shards[HOME].moving.is_empty());
    }
}
