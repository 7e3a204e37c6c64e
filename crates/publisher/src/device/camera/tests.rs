//! Cameras, played by one that is none.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};

use picture::PixelFormat;

use super::*;

/// What the fake camera does next.
#[derive(Debug, Clone)]
enum Act {
    /// A bright frame of a size.
    Frame(usize, usize),
    /// A frame that is no picture.
    Garbage,
    /// Nothing for as long as is waited.
    Silence,
    Fail(Gone),
}

/// The world of the fake: what there is, and what has happened.
#[derive(Debug)]
struct World {
    now: Instant,
    cameras: Vec<Found>,
    opens: Result<(), String>,
    acts: VecDeque<Act>,
    opened: Vec<(String, Choice)>,
}

#[derive(Debug, Clone)]
struct Fake(Arc<Mutex<World>>);

impl Fake {
    fn new(cameras: Vec<Found>) -> Self {
        Self(Arc::new(Mutex::new(World {
            now: Instant::now(),
            cameras,
            opens: Ok(()),
            acts: VecDeque::new(),
            opened: Vec::new(),
        })))
    }

    fn with<T>(&self, change: impl FnOnce(&mut World) -> T) -> T {
        change(&mut self.0.lock().unwrap())
    }

    fn open(&self, options: CameraOptions) -> Result<Camera, SourceError> {
        Camera::open_with(Box::new(self.clone()), options)
    }

    fn acts(&self, acts: impl IntoIterator<Item = Act>) {
        self.with(|world| world.acts.extend(acts));
    }
}

impl Backend for Fake {
    fn cameras(&mut self) -> Vec<Found> {
        self.with(|world| world.cameras.clone())
    }

    fn open(&mut self, path: &str, choice: &Choice) -> Result<Box<dyn Stream>, String> {
        self.with(|world| {
            world.opened.push((path.to_owned(), *choice));
            world.opens.clone()
        })?;
        Ok(Box::new(FakeStream(self.clone(), Vec::new())))
    }
}

impl Clock for Fake {
    fn now(&self) -> Instant {
        self.with(|world| world.now)
    }

    fn sleep(&self, duration: Duration) {
        self.with(|world| world.now += duration);
    }
}

struct FakeStream(Fake, Vec<u8>);

impl Stream for FakeStream {
    fn next(&mut self, patience: Duration) -> Result<Option<RawFrame<'_>>, Gone> {
        let (width, height) = match self.0.with(|world| world.acts.pop_front()) {
            Some(Act::Frame(width, height)) => (width, height),
            Some(Act::Garbage) => (0, 0),
            Some(Act::Silence) | None => {
                self.0.sleep(patience);
                return Ok(None);
            }
            Some(Act::Fail(gone)) => return Err(gone),
        };
        let layout = Layout::packed(PixelFormat::Grey, width, height);
        self.1 = vec![235; layout.bytes()];
        Ok(Some(RawFrame {
            layout,
            bytes: &self.1,
            capture_time: self.0.now(),
        }))
    }
}

fn camera(name: &str, path: &str) -> Found {
    let mode = |width, height| Mode {
        format: PixelFormat::Mjpeg,
        width,
        height,
        fps: vec![30, 15],
    };
    Found {
        name: name.to_owned(),
        path: path.to_owned(),
        modes: vec![mode(320, 180), mode(640, 480)],
        problem: None,
    }
}

fn small() -> CameraOptions {
    CameraOptions {
        size: Some("320x180".parse().unwrap()),
        ..CameraOptions::default()
    }
}

/// What comes, in a word each, until `until` has come.
fn sequence(camera: &mut Camera, until: &str) -> Vec<String> {
    let mut words: Vec<String> = Vec::new();
    while words.last().is_none_or(|last| last != until) {
        assert!(words.len() < 100, "{until} does not come: {words:?}");
        let word = match camera.next().unwrap() {
            Captured::Video(frame) => {
                assert_eq!(frame.picture.size(), camera.0.device.canvases.size());
                let bright = frame.picture.y.iter().any(|luma| *luma > 100);
                if bright { "picture" } else { "dark" }.to_owned()
            }
            Captured::Notice(text) => text,
            Captured::Nothing => continue,
            other @ (Captured::Audio(_)
            | Captured::EncodedVideo(_)
            | Captured::EncodedAudio(_)
            | Captured::End) => panic!("{other:?}"),
        };
        words.push(word);
    }
    words
}

#[test]
fn it_is_opened_in_the_mode_nearest_to_what_is_wanted() {
    let check = |options: CameraOptions, size: &str, fps| {
        let fake = Fake::new(vec![camera("Webcam", "/dev/video0")]);
        let format = fake.open(options).unwrap().format();
        let size = size.parse().unwrap();
        assert_eq!(format.video, Some(VideoFormat::Raw { size, fps }));
        assert_eq!(format.audio, None);
    };
    check(CameraOptions::default(), "640x480", 30);
    check(small(), "320x180", 30);
    let slow = CameraOptions {
        fps: Some(10),
        ..small()
    };
    check(slow, "320x180", 15);
}

#[test]
fn what_cannot_be_opened_is_told_in_a_sentence() {
    let check = |fake: &Fake, device: Option<&str>, expected: &str| {
        let options = CameraOptions {
            device: device.map(str::to_owned),
            ..small()
        };
        let error = fake.open(options).expect_err("it cannot be opened");
        assert_eq!(error.0, expected);
    };
    check(
        &Fake::new(Vec::new()),
        None,
        "there is no camera on this machine",
    );
    let fake = Fake::new(vec![camera("Webcam", "/dev/video0")]);
    check(
        &fake,
        Some("Capture"),
        "there is no camera \"Capture\"; there is 0 (Webcam)",
    );
    fake.with(|world| world.opens = Err("is in use by another program".to_owned()));
    check(
        &fake,
        None,
        "the camera \"Webcam\" is in use by another program",
    );
    fake.with(|world| world.cameras[0].modes.clear());
    check(
        &fake,
        None,
        "the camera \"Webcam\" has no mode that this program can use",
    );
    fake.with(|world| world.cameras[0].problem = Some("may not be used".to_owned()));
    check(&fake, Some("web"), "the camera \"Webcam\" may not be used");
}

#[test]
fn unplugged_it_is_waited_for_and_goes_on_in_the_same_size() {
    let fake = Fake::new(vec![camera("Webcam", "/dev/video0")]);
    let mut source = fake.open(small()).unwrap();
    fake.acts([Act::Frame(320, 180), Act::Fail(Gone::Unplugged)]);
    let waiting = "the camera \"Webcam\" is unplugged: waiting for it";
    assert_eq!(sequence(&mut source, waiting), ["picture", waiting]);

    // Another camera is not taken for it.
    fake.with(|world| world.cameras = vec![camera("Another", "/dev/video0")]);
    for _ in 0..5 {
        assert_eq!(sequence(&mut source, "dark"), ["dark"]);
    }
    // Back under another path, and with other pictures.
    fake.with(|world| world.cameras.push(camera("Webcam", "/dev/video3")));
    fake.acts([Act::Frame(640, 480)]);
    let back = "the camera \"Webcam\" is back";
    let words = sequence(&mut source, "picture");
    assert_eq!(words[words.len() - 2..], [back, "picture"]);
    let opened = fake.with(|world| world.opened.clone());
    let paths: Vec<&str> = opened.iter().map(|(path, _)| path.as_str()).collect();
    assert_eq!(paths, ["/dev/video0", "/dev/video3"]);
}

#[test]
fn there_but_not_to_be_opened_it_is_tried_again() {
    let fake = Fake::new(vec![camera("Webcam", "/dev/video0")]);
    let mut source = fake.open(small()).unwrap();
    fake.acts([Act::Fail(Gone::Failed("broken".to_owned()))]);
    let notice = "the camera \"Webcam\" fails (broken): waiting for it";
    assert_eq!(sequence(&mut source, notice), [notice]);
    fake.with(|world| world.opens = Err("is in use by another program".to_owned()));
    for _ in 0..5 {
        assert_eq!(sequence(&mut source, "dark"), ["dark"]);
    }
    assert!(fake.with(|world| world.opened.len()) >= 3);
    fake.with(|world| world.opens = Ok(()));
    sequence(&mut source, "the camera \"Webcam\" is back");
}

#[test]
fn one_that_falls_silent_is_opened_again() {
    let fake = Fake::new(vec![camera("Webcam", "/dev/video0")]);
    let mut source = fake.open(small()).unwrap();
    // A pause is no silence yet.
    fake.acts([Act::Frame(320, 180)]);
    fake.acts(vec![Act::Silence; 5]);
    fake.acts([Act::Frame(320, 180)]);
    let notice = "the camera \"Webcam\" delivers no pictures: waiting for it";
    assert_eq!(
        sequence(&mut source, notice),
        ["picture", "picture", notice]
    );
    fake.acts([Act::Frame(320, 180)]);
    let back = "the camera \"Webcam\" is back";
    assert_eq!(
        sequence(&mut source, "picture"),
        ["dark", "dark", back, "picture"]
    );
}

#[test]
fn corrupt_frames_are_skipped_and_told_now_and_then() {
    let fake = Fake::new(vec![camera("Webcam", "/dev/video0")]);
    let mut source = fake.open(small()).unwrap();
    fake.acts([
        Act::Garbage,
        Act::Garbage,
        Act::Garbage,
        Act::Frame(320, 180),
    ]);
    let first = "the camera \"Webcam\" sends corrupt pictures: 1 skipped so far";
    assert_eq!(sequence(&mut source, "picture"), [first, "picture"]);
    fake.with(|world| world.now += COMPLAINT);
    fake.acts([Act::Garbage]);
    let later = "the camera \"Webcam\" sends corrupt pictures: 4 skipped so far";
    assert_eq!(sequence(&mut source, later), [later]);
}

#[test]
fn the_list_of_this_machine_can_be_made() {
    let mut devices = Devices::default();
    Camera::list(&mut devices);
    for (index, camera) in devices.cameras.iter().enumerate() {
        assert_eq!(camera.index, index);
    }
}
