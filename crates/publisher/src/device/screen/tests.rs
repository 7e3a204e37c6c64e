//! Screens, played by one that is none.

use std::sync::{Arc, Mutex};

use picture::PixelFormat;

use super::*;

/// What there is to be seen, changed by the tests.
#[derive(Debug)]
struct World {
    now: Instant,
    targets: Targets,
    /// What a grab gives: a size and the luminance of grey.
    seen: Result<(usize, usize, u8), Lost>,
    grabbed: Vec<Instant>,
}

#[derive(Debug, Clone)]
struct Fake(Arc<Mutex<World>>);

impl Fake {
    fn new() -> Self {
        let targets = Targets {
            displays: vec![DisplayInfo {
                index: 0,
                name: "Panel".to_owned(),
                width: 640,
                height: 480,
                primary: true,
            }],
            windows: vec![window(1, "Editor"), window(2, "Terminal — editor.rs")],
        };
        Self(Arc::new(Mutex::new(World {
            now: Instant::now(),
            targets,
            seen: Ok((640, 480, 200)),
            grabbed: Vec::new(),
        })))
    }

    fn with<T>(&self, change: impl FnOnce(&mut World) -> T) -> T {
        change(&mut self.0.lock().unwrap())
    }

    fn open(&self, what: ScreenTarget, size: Option<&str>) -> Result<Screen, SourceError> {
        let options = ScreenOptions {
            what,
            fps: 25,
            size: size.map(|size| size.parse().unwrap()),
        };
        Screen::open_with(Box::new(self.clone()), options)
    }
}

fn window(id: u32, title: &str) -> WindowInfo {
    WindowInfo {
        id,
        title: title.to_owned(),
        width: 640,
        height: 480,
    }
}

impl Backend for Fake {
    fn list(&mut self) -> Result<Targets, String> {
        Ok(self.with(|world| world.targets.clone()))
    }

    fn open(&mut self, _: Target) -> Result<Box<dyn Grabber>, String> {
        Ok(Box::new(FakeGrabber(self.clone(), Vec::new())))
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

struct FakeGrabber(Fake, Vec<u8>);

impl Grabber for FakeGrabber {
    fn grab(&mut self) -> Result<Shot<'_>, Lost> {
        let (width, height, grey) = self.0.with(|world| {
            world.grabbed.push(world.now);
            world.seen.clone()
        })?;
        let layout = Layout::packed(PixelFormat::Bgrx, width, height);
        self.1 = vec![grey; layout.bytes()];
        let bytes = &self.1;
        Ok(Shot { layout, bytes })
    }
}

fn picture(screen: &mut Screen) -> VideoFrame {
    let captured = screen.next().unwrap();
    let Captured::Video(frame) = captured else {
        panic!("no picture but {captured:?}");
    };
    frame
}

/// What comes next that is something.
fn notice(screen: &mut Screen) -> String {
    for _ in 0..100 {
        if let Captured::Notice(text) = screen.next().unwrap() {
            return text;
        }
    }
    panic!("no notice comes");
}

#[test]
fn pictures_come_at_the_rate_and_in_the_size() {
    let fake = Fake::new();
    let mut screen = fake
        .open(ScreenTarget::Display(0), Some("320x180"))
        .unwrap();
    let size = "240x180".parse().unwrap();
    let video = Some(VideoFormat::Raw { size, fps: 25 });
    assert_eq!(screen.format().video, video);
    let frames: Vec<VideoFrame> = (0..5).map(|_| picture(&mut screen)).collect();
    for pair in frames.windows(2) {
        let period = pair[1].capture_time - pair[0].capture_time;
        assert_eq!(period, Duration::from_millis(40));
    }
    // Grey of 200 in limited range: 16 + 200 * 219 / 255.
    assert!(
        frames[0]
            .picture
            .y
            .iter()
            .all(|luma| luma.abs_diff(188) <= 1)
    );
    // After a pause, such as the machine's sleep, nothing is made up for.
    fake.sleep(Duration::from_secs(60));
    let late = picture(&mut screen).capture_time;
    let next = picture(&mut screen).capture_time;
    assert_eq!(next - late, Duration::from_millis(40));
}

#[test]
fn a_closed_window_is_waited_for_by_its_title() {
    let fake = Fake::new();
    let target = ScreenTarget::Window("terminal".to_owned());
    let mut screen = fake.open(target, None).unwrap();
    assert!(picture(&mut screen).picture.y[0] > 100);
    fake.with(|world| {
        world.seen = Err(Lost::Gone);
        world.targets.windows.pop();
    });
    let gone = "the window \"terminal\" is gone: waiting for it";
    assert_eq!(notice(&mut screen), gone);
    assert_eq!(picture(&mut screen).picture.y[0], 16);
    // Another window of that title, smaller than the first.
    fake.with(|world| {
        world.seen = Ok((320, 200, 200));
        world.targets.windows.push(window(9, "A terminal"));
    });
    assert_eq!(notice(&mut screen), "the window \"terminal\" is back");
    let frame = picture(&mut screen);
    assert_eq!(frame.picture.size().to_string(), "640x480");
    let luma = |row: usize| frame.picture.y[row * 640 + 320];
    assert_eq!((luma(0), luma(240), luma(479)), (16, 188, 16));
}

#[test]
fn a_minimised_window_is_told_once_and_looked_for_again() {
    let fake = Fake::new();
    let mut screen = fake
        .open(ScreenTarget::Window("1".to_owned()), None)
        .unwrap();
    fake.with(|world| world.seen = Err(Lost::Hidden));
    let hidden = "the window \"1\" is not to be seen: waiting for it";
    assert_eq!(notice(&mut screen), hidden);
    let before = fake.with(|world| world.grabbed.len());
    while fake.with(|world| world.grabbed.len()) < before + 3 {
        let captured = screen.next().unwrap();
        assert!(!matches!(captured, Captured::Notice(_)), "{captured:?}");
    }
    fake.with(|world| world.seen = Ok((640, 480, 200)));
    assert_eq!(notice(&mut screen), "the window \"1\" is back");
}

#[test]
fn what_is_not_there_is_told_with_what_is() {
    let check = |what, expected: &str| {
        let error = Fake::new().open(what, None).expect_err("it is not there");
        assert_eq!(error.0, expected);
    };
    check(
        ScreenTarget::Display(1),
        "there is no display 1; there is 0 only",
    );
    check(
        ScreenTarget::Window("Browser".to_owned()),
        "there is no window \"Browser\"; there is \"Terminal — editor.rs\", \"Editor\"",
    );
    let fake = Fake::new();
    fake.with(|world| world.seen = Err(Lost::Failed("no luck".to_owned())));
    let error = fake.open(ScreenTarget::Display(0), None).unwrap_err();
    assert_eq!(error.0, "the display 0 cannot be captured (no luck)");
}

#[test]
fn windows_are_named_by_id_title_or_part_of_it() {
    let windows = Fake::new().with(|world| world.targets.windows.clone());
    let check = |wanted, expected: Option<u32>| {
        let found = find_window(wanted, &windows);
        assert_eq!(found, expected.map(Target::Window), "{wanted}");
    };
    check("1", Some(1));
    check("0x2", Some(2));
    check("editor", Some(1));
    check("EDITOR.", Some(2));
    check("edit", Some(2));
    check("3", None);
    check("", None);
}
