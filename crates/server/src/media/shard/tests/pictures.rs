//! Layers of VP8, which numbers its pictures, and a viewer who goes from one to
//! another.

use super::simulcast::{three, watched};
use super::*;

/// What VP8's payload descriptor says of a picture (RFC 7741 section 4.2).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Picture {
    id: u16,
    base: u8,
    temporal: u8,
}

impl Picture {
    /// The one after, in two temporal layers by turns.
    pub(super) fn next(self, keyframe: bool) -> Self {
        let temporal = if keyframe { 0 } else { 1 - self.temporal };
        Self {
            id: (self.id + 1) & 0x7fff,
            base: self.base.wrapping_add(u8::from(temporal == 0)),
            temporal,
        }
    }

    /// A payload of it: the descriptor, a frame tag's first byte and a letter.
    pub(super) fn payload(self, first: bool, keyframe: bool, letter: u8, bytes: usize) -> Vec<u8> {
        let [high, low] = self.id.to_be_bytes();
        let start = 0x80 | u8::from(first) << 4;
        let descriptor = [start, 0xe0, 0x80 | high, low, self.base, self.temporal << 6];
        let mut payload = descriptor.to_vec();
        payload.extend([u8::from(!keyframe), letter]);
        payload.resize(bytes.max(payload.len()), 0);
        payload
    }

    fn read(payload: &[u8]) -> Self {
        let id = u16::from_be_bytes([payload[2], payload[3]]) & 0x7fff;
        Self {
            id,
            base: payload[4],
            temporal: payload[5] >> 6,
        }
    }
}

/// The letters of the layers that a viewer has been shown, each time that it
/// changes. Fails unless the numbers of the pictures go on.
fn course(client: &Client) -> String {
    let mut packets: Vec<_> = client.of_kind(true).collect();
    packets.sort_by_key(|packet| *packet.seq_no);
    let mut course = String::new();
    for pair in packets.windows(2) {
        let [before, after] = [pair[0], pair[1]].map(|p| Picture::read(&p.payload));
        let same = pair[0].header.timestamp == pair[1].header.timestamp;
        let next = before.next(after.temporal == 0);
        assert_eq!(after, if same { before } else { next }, "{course}");
        let letter = char::from(pair[1].payload[7]);
        if !course.ends_with(letter) {
            course.push(letter);
        }
    }
    course
}

/// Chromium drops pictures whose numbers went back, until it gives up waiting.
#[test]
fn pictures_are_numbered_on_from_layer_to_layer() {
    let mut sender = three();
    // Those of each layer start anywhere.
    for (layer, (id, base)) in
        sender
            .layers
            .iter_mut()
            .zip([(0x7ff0, 250), (20_000, 200), (9_000, 180)])
    {
        layer.picture = Some(Picture {
            id,
            base,
            temporal: 0,
        });
    }
    let (mut world, viewer) = watched(&mut sender, 2);
    for on in [false, true] {
        sender.layer("f").on = on;
        world.send_layers(&mut sender, 5 * SECOND);
    }
    for layer in ["h", "f"] {
        sender.layer(layer).on = false;
    }
    world.send_layers(&mut sender, 5 * SECOND);
    let client = &world.clients[viewer];
    assert_contiguous(&client.numbers(true));
    assert_eq!(course(client), "hfhfq");
}
