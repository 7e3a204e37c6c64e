//! Microphones, played by one that is none.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};

use super::*;

/// What the fake microphone does next.
#[derive(Debug, Clone)]
enum Act {
    /// A piece of 20 ms, mono at 48 kHz, of one value.
    Sound(i16),
    /// The same, which has waited for so long.
    Old(i16, Duration),
    Quiet,
    Fail(Gone),
}

#[derive(Debug)]
struct World {
    now: Instant,
    found: Vec<Found>,
    opens: Result<u16, String>,
    acts: VecDeque<Act>,
    opened: Vec<(Option<String>, Wanted)>,
}

#[derive(Debug, Clone)]
struct Fake(Arc<Mutex<World>>);

impl Fake {
    fn new() -> Self {
        let found = |name: &str, id: &str, hidden| Found {
            name: name.to_owned(),
            id: id.to_owned(),
            default: false,
            hidden,
        };
        Self(Arc::new(Mutex::new(World {
            now: Instant::now(),
            found: vec![
                found("null", "null", true),
                found("Built-in", "hw:0", false),
                found("USB Audio", "hw:1", false),
            ],
            opens: Ok(1),
            acts: VecDeque::new(),
            opened: Vec::new(),
        })))
    }

    fn with<T>(&self, change: impl FnOnce(&mut World) -> T) -> T {
        change(&mut self.0.lock().unwrap())
    }

    fn open(&self, device: Option<&str>) -> Result<Microphone, SourceError> {
        let options = MicrophoneOptions {
            device: device.map(str::to_owned),
            channels: 2,
        };
        Microphone::open_with(Box::new(self.clone()), options)
    }
}

impl Backend for Fake {
    fn microphones(&mut self) -> Result<Vec<Found>, String> {
        Ok(self.with(|world| world.found.clone()))
    }

    fn open(&mut self, id: Option<&str>, wanted: Wanted) -> Result<Open, String> {
        let channels = self.with(|world| {
            world.opened.push((id.map(str::to_owned), wanted));
            world.opens.clone()
        })?;
        Ok(Open {
            ear: Box::new(self.clone()),
            rate: 48_000,
            channels,
        })
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

impl Ear for Fake {
    fn next(&mut self, patience: Duration) -> Result<Option<AudioChunk>, Gone> {
        let piece = |value, age| {
            Ok(Some(AudioChunk {
                capture_time: self.now() - age,
                samples: vec![value; 960],
            }))
        };
        match self.with(|world| world.acts.pop_front()) {
            Some(Act::Sound(value)) => piece(value, Duration::ZERO),
            Some(Act::Old(value, age)) => piece(value, age),
            Some(Act::Quiet) | None => {
                self.sleep(patience);
                Ok(None)
            }
            Some(Act::Fail(gone)) => Err(gone),
        }
    }
}

/// What comes next that is something.
fn next(microphone: &mut Microphone) -> Captured {
    for _ in 0..100 {
        let captured = microphone.next().unwrap();
        if !matches!(captured, Captured::Nothing) {
            return captured;
        }
    }
    panic!("nothing comes");
}

fn sound(microphone: &mut Microphone) -> AudioChunk {
    let captured = next(microphone);
    let Captured::Audio(chunk) = captured else {
        panic!("no sound but {captured:?}");
    };
    chunk
}

fn notice(microphone: &mut Microphone) -> String {
    let captured = next(microphone);
    let Captured::Notice(text) = captured else {
        panic!("no notice but {captured:?}");
    };
    text
}

#[test]
fn the_one_that_is_named_is_opened() {
    let check = |device, expected: Option<&str>| {
        let fake = Fake::new();
        let format = fake.open(device).unwrap().format();
        let audio = AudioFormat::Raw {
            rate: 48_000,
            channels: 1,
        };
        assert_eq!((format.video, format.audio), (None, Some(audio)));
        let opened = fake.with(|world| world.opened[0].0.clone());
        assert_eq!(opened.as_deref(), expected);
    };
    check(None, None);
    check(Some("1"), Some("hw:1"));
    check(Some("usb"), Some("hw:1"));
    check(Some("hw:0"), Some("hw:0"));
    check(Some("null"), Some("null"));
}

#[test]
fn what_cannot_be_opened_is_told_in_a_sentence() {
    let fake = Fake::new();
    let check = |device, expected: &str| {
        let error = fake.open(device).expect_err("it cannot be opened");
        assert_eq!(error.0, expected);
    };
    check(
        Some("Mixer"),
        "there is no microphone \"Mixer\"; there is 0 (Built-in), 1 (USB Audio)",
    );
    fake.with(|world| world.opens = Err("is in use by another program".to_owned()));
    check(None, "the microphone is in use by another program");
    check(
        Some("1"),
        "the microphone \"USB Audio\" is in use by another program",
    );
    fake.with(|world| world.opens = Err(NOT_THERE.to_owned()));
    check(None, "there is no microphone on this machine");
    check(Some("1"), "the microphone \"USB Audio\" is not there");
}

#[test]
fn unplugged_it_is_waited_for_in_silence() {
    let fake = Fake::new();
    let mut microphone = fake.open(Some("usb")).unwrap();
    fake.with(|world| {
        world
            .acts
            .extend([Act::Sound(7), Act::Fail(Gone::Unplugged)])
    });
    assert_eq!(sound(&mut microphone).samples, [7; 960]);
    fake.with(|world| world.opens = Err("is not there".to_owned()));
    let gone = "the microphone \"USB Audio\" is unplugged: waiting for it";
    assert_eq!(notice(&mut microphone), gone);

    // Silence in real time, piece after piece.
    let pieces: Vec<AudioChunk> = (0..100).map(|_| sound(&mut microphone)).collect();
    for pair in pieces.windows(2) {
        assert_eq!(pair[0].samples, [0; 960]);
        assert_eq!(pair[1].capture_time - pair[0].capture_time, PIECE);
    }
    let last = pieces.last().unwrap();
    assert_eq!(last.capture_time + PIECE, fake.now());
    // Looked for once a second.
    assert_eq!(fake.with(|world| world.opened.len()), 2);

    fake.with(|world| {
        world.opens = Ok(1);
        world.acts.push_back(Act::Sound(9));
    });
    let back = "the microphone \"USB Audio\" is back";
    while !matches!(microphone.next(), Ok(Captured::Notice(text)) if text == back) {}
    assert_eq!(sound(&mut microphone).samples, [9; 960]);
    let again = fake.with(|world| world.opened.pop()).unwrap();
    let same = Wanted {
        rate: Some(48_000),
        channels: Channels::Exactly(1),
    };
    assert_eq!(again, (Some("hw:1".to_owned()), same));
}

#[test]
fn one_that_falls_silent_is_opened_again() {
    let fake = Fake::new();
    let mut microphone = fake.open(None).unwrap();
    fake.with(|world| world.acts.extend([Act::Quiet, Act::Quiet, Act::Sound(1)]));
    assert_eq!(sound(&mut microphone).samples, [1; 960]);
    let silent = "the microphone delivers no sound: waiting for it";
    assert_eq!(notice(&mut microphone), silent);
    // After a sleep of the machine, silence is not made up for.
    fake.sleep(Duration::from_secs(3600));
    fake.with(|world| world.opens = Err("is not there".to_owned()));
    let late = sound(&mut microphone).capture_time;
    assert!(fake.now() - late <= Duration::from_secs(1));
}

#[test]
fn sound_from_before_anybody_wanted_it_is_left_out() {
    let fake = Fake::new();
    let mut microphone = fake.open(None).unwrap();
    fake.with(|world| {
        let waited = [STALE * 2, STALE + PIECE].map(|age| Act::Old(1, age));
        world.acts.extend(waited);
        world.acts.push_back(Act::Old(2, STALE));
    });
    assert_eq!(sound(&mut microphone).samples, [2; 960]);
}
