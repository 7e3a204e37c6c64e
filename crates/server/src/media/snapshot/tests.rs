use std::io::Cursor;
use std::sync::Arc;
use std::sync::mpsc;
use std::time::Instant;

use openh264::encoder::Encoder;
use openh264::formats::{RgbSliceU8, YUVBuffer};
use str0m::rtp::VideoOrientation;

use super::*;
use crate::media::codec::Kind;
use crate::media::packet::Extensions;
use crate::media::picture::PictureNumbers;
use crate::media::rewrite::Position;

const WIDTH: usize = 64;
const HEIGHT: usize = 48;

/// Top left, top right, bottom left, bottom right.
const QUADRANTS: [[u8; 3]; 4] = [[220, 30, 30], [30, 200, 40], [20, 40, 210], [235, 235, 235]];

/// The same in libvpx's VP8.
const VP8: &[u8] = include_bytes!("../../../tests/data/quadrants.vp8");

/// The packets of a frame.
fn keyframe(codec: Codec, payloads: &[Vec<u8>]) -> Keyframe {
    let packet = |(sequence, payload): (usize, &Vec<u8>)| {
        Arc::new(MediaPacket {
            kind: Kind::Video,
            codec,
            layer: 0,
            pt: 102,
            position: Position {
                epoch: 0,
                sequence: sequence as u64,
                timestamp: 0,
                captured: Instant::now(),
                picture: PictureNumbers::default(),
            },
            marker: sequence + 1 == payloads.len(),
            starts_keyframe: sequence == 0,
            extensions: Extensions::default(),
            payload: Arc::from(payload.as_slice()),
        })
    };
    Keyframe {
        codec,
        packets: payloads.iter().enumerate().map(packet).collect(),
    }
}

/// The NAL units of the quadrants in H.264.
fn nal_units() -> Vec<Vec<u8>> {
    let pixel = |at: usize| {
        let (x, y) = (at % WIDTH, at / WIDTH);
        QUADRANTS[usize::from(x >= WIDTH / 2) + 2 * usize::from(y >= HEIGHT / 2)]
    };
    let rgb: Vec<u8> = (0..WIDTH * HEIGHT).flat_map(pixel).collect();
    let picture = YUVBuffer::from_rgb8_source(RgbSliceU8::new(&rgb, (WIDTH, HEIGHT)));
    let mut encoder = Encoder::new().unwrap();
    let stream = encoder.encode(&picture).unwrap();
    let layers = (0..stream.num_layers()).map(|layer| stream.layer(layer).unwrap());
    let units = layers.flat_map(|layer| {
        let unit = |n| layer.nal_unit(n).unwrap().to_vec();
        (0..layer.nal_count()).map(unit).collect::<Vec<_>>()
    });
    // Without their start codes.
    units
        .map(|unit| {
            let start = unit.windows(3).position(|w| w == [0, 0, 1]).unwrap();
            unit[start + 3..].to_vec()
        })
        .collect()
}

fn vp8(parts: usize) -> Keyframe {
    let length = VP8.len().div_ceil(parts);
    let payloads = VP8.chunks(length).enumerate().map(|(index, part)| {
        let descriptor = if index == 0 { 0x10 } else { 0x00 };
        [&[descriptor], part].concat()
    });
    keyframe(Codec::Vp8, &payloads.collect::<Vec<_>>())
}

/// Width and height, and the pixels, of a PNG file.
fn read(file: &[u8]) -> ((usize, usize), Vec<u8>) {
    let mut reader = png::Decoder::new(Cursor::new(file)).read_info().unwrap();
    let mut pixels = vec![0; reader.output_buffer_size().unwrap()];
    let info = reader.next_frame(&mut pixels).unwrap();
    assert_eq!(info.color_type, png::ColorType::Rgb);
    ((info.width as usize, info.height as usize), pixels)
}

/// Fails if the middle of a quadrant is not as expected.
fn assert_shows((width, height): (usize, usize), pixels: &[u8], quadrants: [[u8; 3]; 4]) {
    for (index, expected) in quadrants.iter().enumerate() {
        let x = width / 4 + width / 2 * (index % 2);
        let y = height / 4 + height / 2 * (index / 2);
        let got = &pixels[(y * width + x) * 3..][..3];
        let close = |(a, b): (&u8, &u8)| a.abs_diff(*b) <= 24;
        assert!(got.iter().zip(expected).all(close), "{index}: {got:?}");
    }
}

/// Fails if a PNG file does not show the quadrants.
fn assert_shows_quadrants(file: &[u8]) {
    let (size, pixels) = read(file);
    assert_eq!(size, (WIDTH, HEIGHT));
    assert_shows(size, &pixels, QUADRANTS);
}

#[test]
fn h264_is_decoded_however_it_is_packed() {
    let units = nal_units();
    let [sps, pps, idr] = &units[..] else {
        panic!("{} units", units.len());
    };
    let length = |unit: &[u8]| (unit.len() as u16).to_be_bytes();
    let aggregate = [&[0x78], &length(sps)[..], sps, &length(pps), pps].concat();
    let fragment = |(index, part): (usize, &[u8])| {
        let start = if index == 0 { 0x80 } else { 0 };
        [&[idr[0] & 0x60 | 28, idr[0] & 0x1f | start], part].concat()
    };
    let fragments = idr[1..].chunks(40).enumerate().map(fragment);
    let packed: Vec<_> = [aggregate].into_iter().chain(fragments).collect();
    assert!(packed.len() > 3);
    for payloads in [&units, &packed] {
        assert_shows_quadrants(&picture(&keyframe(Codec::H264, payloads)).unwrap());
    }
}

#[test]
fn vp8_is_decoded_however_it_is_packed() {
    for parts in [1, 3] {
        assert_shows_quadrants(&picture(&vp8(parts)).unwrap());
    }
}

/// Fails if a picture whose camera says so does not show these quadrants.
fn check_turned(told: VideoOrientation, quadrants: [usize; 4]) {
    let mut keyframe = vp8(3);
    let last = Arc::get_mut(&mut keyframe.packets[2]).unwrap();
    last.extensions.video_orientation = Some(told);
    let (size, pixels) = read(&picture(&keyframe).unwrap());
    let turned = [VideoOrientation::Deg90, VideoOrientation::Deg270].contains(&told);
    let expected = if turned {
        (HEIGHT, WIDTH)
    } else {
        (WIDTH, HEIGHT)
    };
    assert_eq!(size, expected, "{told:?}");
    assert_shows(size, &pixels, quadrants.map(|index| QUADRANTS[index]));
}

#[test]
fn a_picture_stands_upright_however_the_camera_was_held() {
    check_turned(VideoOrientation::Deg0, [0, 1, 2, 3]);
    check_turned(VideoOrientation::Deg270, [2, 0, 3, 1]);
    check_turned(VideoOrientation::Deg180, [3, 2, 1, 0]);
    check_turned(VideoOrientation::Deg90, [1, 3, 0, 2]);
}

fn check_error(keyframe: &Keyframe, expected: SnapshotError) {
    assert_eq!(picture(keyframe), Err(expected), "{keyframe:?}");
}

#[test]
fn what_cannot_be_decoded_is_said() {
    let units = nal_units();
    let no_picture = keyframe(Codec::H264, &units[..1]);
    check_error(&no_picture, SnapshotError::Damaged);
    let mut cut = vp8(3);
    cut.packets.truncate(1);
    check_error(&cut, SnapshotError::Damaged);
    check_error(&keyframe(Codec::Vp8, &[]), SnapshotError::Damaged);
    check_error(&keyframe(Codec::Vp9, &[vec![0x08]]), SnapshotError::Codec);
    check_error(&keyframe(Codec::Av1, &[vec![0x18]]), SnapshotError::Codec);
    // 16,383 pixels each way.
    let mut absurd = vec![0x10];
    absurd.extend(VP8);
    absurd[7..11].copy_from_slice(&[0xff, 0x3f, 0xff, 0x3f]);
    check_error(&keyframe(Codec::Vp8, &[absurd]), SnapshotError::Damaged);
}

proptest::proptest! {
    #![proptest_config(proptest::test_runner::Config::with_cases(200))]

    #[test]
    fn damaged_pictures_do_no_harm(at in 10_usize..170, value: u8, which: bool) {
        let mut units = nal_units();
        let keyframe = if which {
            let idr = &mut units[2];
            let at = at % idr.len();
            idr[at] = value;
            keyframe(Codec::H264, &units)
        } else {
            let mut frame = [&[0x10], VP8].concat();
            frame[at] = value;
            keyframe(Codec::Vp8, &[frame])
        };
        if let Err(error) = picture(&keyframe) {
            proptest::prop_assert_eq!(error, SnapshotError::Damaged);
        }
    }
}

#[test]
fn too_many_are_refused_and_the_rest_answered() {
    let (taken_in, taken) = mpsc::channel();
    let (go, gate) = mpsc::channel::<()>();
    let (snapshots, thread) = Snapshots::start(move |event| {
        gate.recv().unwrap();
        taken_in.send(event).unwrap();
    })
    .unwrap();
    // One may be in work while so many wait.
    let requests = (0..100).take_while(|id| snapshots.take(SnapshotId(*id), vp8(1)));
    let accepted = requests.count();
    assert!((QUEUE..=QUEUE + 1).contains(&accepted), "{accepted}");
    (0..accepted).for_each(|_| go.send(()).unwrap());
    for id in 0..accepted as u64 {
        let Event::Snapshot { request, picture } = taken.recv().unwrap() else {
            panic!("something else");
        };
        assert_eq!(request, SnapshotId(id));
        assert_shows_quadrants(&picture.unwrap());
    }
    snapshots.stop();
    thread.join().unwrap();
}
