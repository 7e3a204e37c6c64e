//! Displays and windows of a real X server that shows nothing: Xvfb.

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};

use x11rb::protocol::xfixes::GetCursorImageReply;
use x11rb::protocol::xproto::{
    ChangeWindowAttributesAux, ConfigureWindowAux, CreateWindowAux, PropMode, WindowClass,
};
use x11rb::wrapper::ConnectionExt as _;

use super::grab::draw_pointer;
use super::*;
use crate::device::screen::{Screen, Shot};
use crate::device::{ScreenOptions, ScreenTarget};
use crate::source::{Captured, Source, VideoFrame};

/// An X server of its own, ended with the test.
struct Xvfb {
    process: Child,
    display: String,
}

impl Xvfb {
    fn start() -> Self {
        let process = Command::new("Xvfb")
            .args([
                "-displayfd",
                "1",
                "-screen",
                "0",
                "640x480x24",
                "-nolisten",
                "tcp",
            ])
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn();
        let mut process = process.expect("this test needs Xvfb: install the package xvfb");
        let mut number = String::new();
        let stdout = process.stdout.take().expect("it is piped");
        let read = BufReader::new(stdout).read_line(&mut number);
        read.expect("Xvfb tells its display");
        let display = format!(":{}", number.trim());
        Self { process, display }
    }

    fn backend(&self) -> Box<dyn Backend> {
        Box::new(X11 {
            display: Some(self.display.clone()),
        })
    }

    fn connect(&self) -> Server {
        Server::connect(Some(&self.display)).expect("Xvfb answers")
    }

    fn open(&self, what: ScreenTarget) -> Screen {
        let options = ScreenOptions {
            what,
            fps: 1000,
            size: None,
        };
        Screen::open_with(self.backend(), options).expect("it can be captured")
    }
}

impl Drop for Xvfb {
    fn drop(&mut self) {
        drop(self.process.kill());
        drop(self.process.wait());
    }
}

const RED: u32 = 0xFF_00_00;
const GREEN: u32 = 0x00_FF_00;
const BLUE: u32 = 0x00_00_FF;

impl Server {
    /// A window of one colour.
    fn show(&self, title: &str, colour: u32, area: Area) -> Window {
        let connection = &self.connection;
        let id = connection.generate_id().unwrap();
        let aux = CreateWindowAux::new().background_pixel(colour);
        let Area {
            x,
            y,
            width,
            height,
        } = area;
        let (class, visual) = (WindowClass::INPUT_OUTPUT, 0);
        connection
            .create_window(
                0, id, self.root, x, y, width, height, 0, class, visual, &aux,
            )
            .unwrap();
        let (mode, name) = (PropMode::REPLACE, AtomEnum::WM_NAME);
        let kind = AtomEnum::STRING;
        connection
            .change_property8(mode, id, name, kind, title.as_bytes())
            .unwrap();
        connection.map_window(id).unwrap();
        // Once this is answered, all before is done.
        connection.get_input_focus().unwrap().reply().unwrap();
        id
    }

    fn done(&self) {
        self.connection.get_input_focus().unwrap().reply().unwrap();
    }
}

const LEFT: Area = Area {
    x: 10,
    y: 20,
    width: 200,
    height: 100,
};

/// Blue, green and red of a pixel.
fn pixel(shot: &Shot<'_>, x: usize, y: usize) -> u32 {
    let at = (y * shot.layout.width + x) * 4;
    let bytes = &shot.bytes[at..at + 3];
    u32::from_le_bytes([bytes[0], bytes[1], bytes[2], 0])
}

/// The next picture.
fn picture(screen: &mut Screen) -> VideoFrame {
    loop {
        if let Captured::Video(frame) = screen.next().unwrap() {
            return frame;
        }
    }
}

/// That a pixel has a colour, but for rounding.
fn check(frame: &VideoFrame, (x, y): (usize, usize), expected: [u8; 3]) {
    let picture = &frame.picture;
    let width = picture.size().width();
    let chroma = y / 2 * (width / 2) + x / 2;
    let colour = [
        picture.y[y * width + x],
        picture.u[chroma],
        picture.v[chroma],
    ];
    let near = |(a, b): (u8, u8)| a.abs_diff(b) <= 1;
    let all = colour.into_iter().zip(expected).all(near);
    assert!(all, "{colour:?} at {x} {y}, not {expected:?}");
}

const BLACK_YUV: [u8; 3] = [16, 128, 128];
const RED_YUV: [u8; 3] = [63, 102, 240];
const GREEN_YUV: [u8; 3] = [173, 42, 26];
const BLUE_YUV: [u8; 3] = [32, 240, 118];

#[test]
fn a_display_is_seen_as_it_is() {
    let xvfb = Xvfb::start();
    let server = xvfb.connect();
    server.show("red", RED, LEFT);
    let mut screen = xvfb.open(ScreenTarget::Display(0));
    let frame = picture(&mut screen);
    assert_eq!(frame.picture.size().to_string(), "640x480");
    for (x, y, expected) in [
        (9, 19, BLACK_YUV),
        (10, 20, RED_YUV),
        (209, 119, RED_YUV),
        (210, 120, BLACK_YUV),
    ] {
        check(&frame, (x, y), expected);
    }
    // What changes is seen in the next picture.
    server.show("blue", BLUE, LEFT);
    check(&picture(&mut screen), (100, 60), BLUE_YUV);
}

#[test]
fn shared_memory_and_the_connection_show_the_same() {
    let xvfb = Xvfb::start();
    let server = xvfb.connect();
    server.show("green", GREEN, LEFT);
    let mut shared = X11Grabber::new(xvfb.connect(), Target::Display(0));
    let mut plain = X11Grabber::without_memory(xvfb.connect(), Target::Display(0));
    let (shared, plain) = (shared.grab().unwrap(), plain.grab().unwrap());
    assert_eq!((shared.layout.width, shared.layout.height), (640, 480));
    assert_eq!(pixel(&shared, 15, 25), GREEN);
    assert_eq!(pixel(&shared, 15, 15), 0);
    assert!(shared.bytes == plain.bytes);
}

#[test]
fn a_window_is_seen_whole_though_others_cover_it() {
    let xvfb = Xvfb::start();
    let server = xvfb.connect();
    let window = server.show("Below", RED, LEFT);
    let mut screen = xvfb.open(ScreenTarget::Window("below".to_owned()));
    server.show("Above", BLUE, Area { x: 0, y: 0, ..LEFT });
    // It is painted anew once the server keeps it.
    server
        .connection
        .clear_area(false, window, 0, 0, 0, 0)
        .unwrap();
    server.done();
    let frame = picture(&mut screen);
    assert_eq!(frame.picture.size().to_string(), "200x100");
    for (x, y) in [(0, 0), (100, 50), (199, 99)] {
        check(&frame, (x, y), RED_YUV);
    }
}

#[test]
fn a_window_that_grows_fits_into_the_size_it_had() {
    let xvfb = Xvfb::start();
    let server = xvfb.connect();
    let window = server.show("Growing", GREEN, LEFT);
    let mut screen = xvfb.open(ScreenTarget::Window("growing".to_owned()));
    check(&picture(&mut screen), (0, 0), GREEN_YUV);
    let square = ConfigureWindowAux::new().width(300).height(300);
    server.connection.configure_window(window, &square).unwrap();
    server.done();
    let frame = picture(&mut screen);
    assert_eq!(frame.picture.size().to_string(), "200x100");
    // A square of 100 in the middle of 200.
    check(&frame, (40, 50), BLACK_YUV);
    check(&frame, (100, 50), GREEN_YUV);
    check(&frame, (160, 50), BLACK_YUV);
}

#[test]
fn a_window_that_is_unmapped_or_closed_is_lost() {
    let xvfb = Xvfb::start();
    let server = xvfb.connect();
    let window = server.show("Window", GREEN, LEFT);
    let mut grabber = X11Grabber::new(xvfb.connect(), Target::Window(window));
    assert!(grabber.grab().is_ok());
    server.connection.unmap_window(window).unwrap();
    server.done();
    assert_eq!(grabber.grab().err(), Some(Lost::Hidden));
    server.connection.destroy_window(window).unwrap();
    server.done();
    assert_eq!(grabber.grab().err(), Some(Lost::Gone));
}

#[test]
fn displays_and_windows_are_listed() {
    let xvfb = Xvfb::start();
    let server = xvfb.connect();
    let nameless = server.show("", RED, LEFT);
    let first = server.show("First", RED, LEFT);
    let hidden = server.show("Hidden", RED, LEFT);
    server.connection.unmap_window(hidden).unwrap();
    let second = server.show("Second", RED, LEFT);
    assert_ne!(nameless, first);
    let targets = xvfb.backend().list().unwrap();
    assert_eq!(targets.displays.len(), 1);
    let display = &targets.displays[0];
    assert_eq!((display.width, display.height), (640, 480));
    let windows: Vec<_> = targets.windows.iter().map(|window| window.id).collect();
    assert_eq!(windows, [first, second]);
    assert_eq!(targets.windows[0].title, "First");

    // With a window manager, its list and its titles count.
    let list = server.atom("_NET_CLIENT_LIST_STACKING").unwrap();
    let (mode, kind) = (PropMode::REPLACE, AtomEnum::WINDOW);
    let connection = &server.connection;
    connection
        .change_property32(mode, server.root, list, kind, &[second, first])
        .unwrap();
    let (name, utf8) = (server.atom("_NET_WM_NAME"), server.atom("UTF8_STRING"));
    connection
        .change_property8(
            mode,
            first,
            name.unwrap(),
            utf8.unwrap(),
            "Erstes — ü".as_bytes(),
        )
        .unwrap();
    server.done();
    let targets = xvfb.backend().list().unwrap();
    let titles: Vec<_> = targets.windows.iter().map(|window| &window.title).collect();
    assert_eq!(titles, ["Second", "Erstes — ü"]);
}

#[test]
fn a_server_that_ends_is_lost_and_one_that_is_not_there_is_told() {
    let xvfb = Xvfb::start();
    let mut grabber = X11Grabber::new(xvfb.connect(), Target::Display(0));
    assert!(grabber.grab().is_ok());
    let mut backend = xvfb.backend();
    drop(xvfb);
    assert!(matches!(grabber.grab().err(), Some(Lost::Failed(_))));
    let error = backend.list().expect_err("it has ended");
    assert!(
        error.starts_with("the X server cannot be reached: "),
        "{error}"
    );
}

#[test]
fn the_pointer_of_the_server_is_in_the_picture() {
    let xvfb = Xvfb::start();
    let server = xvfb.connect();
    let window = server.show("Plain", BLUE, LEFT);
    let mut grabber = X11Grabber::new(xvfb.connect(), Target::Window(window));
    let plain = |shot: &Shot<'_>| (0..100).all(|y| (0..200).all(|x| pixel(shot, x, y) == BLUE));
    let move_to = |x, y| {
        let connection = &server.connection;
        connection
            .warp_pointer(0u32, server.root, 0, 0, 0, 0, x, y)
            .unwrap();
        server.done();
    };
    // A pointer of a shape that is there with no cursor theme.
    let cursor = server.connection.generate_id().unwrap();
    let font = server.connection.generate_id().unwrap();
    server.connection.open_font(font, b"cursor").unwrap();
    server
        .connection
        .create_glyph_cursor(cursor, font, font, 68, 69, 0, 0, 0, 0xFFFF, 0xFFFF, 0xFFFF)
        .unwrap();
    let pointer = ChangeWindowAttributesAux::new().cursor(cursor);
    server
        .connection
        .change_window_attributes(server.root, &pointer)
        .unwrap();
    move_to(600, 400);
    assert!(plain(&grabber.grab().unwrap()));
    move_to(100, 60);
    assert!(!plain(&grabber.grab().unwrap()));
}

/// A pointer of 2x2 pixels: opaque white, half red, nothing, opaque blue.
fn pointer(x: i16, y: i16) -> GetCursorImageReply {
    GetCursorImageReply {
        sequence: 0,
        length: 0,
        x,
        y,
        width: 2,
        height: 2,
        xhot: 1,
        yhot: 1,
        cursor_serial: 0,
        cursor_image: vec![0xFFFF_FFFF, 0x8080_0000, 0, 0xFF00_00FF],
    }
}

#[test]
fn the_pointer_is_blended_and_cut_at_the_borders() {
    let place = Area {
        x: 100,
        y: 100,
        width: 3,
        height: 2,
    };
    let check = |x, y, expected: [u32; 6]| {
        let mut pixels = [200, 200, 200, 0].repeat(6);
        draw_pointer(&pointer(x, y), place, &mut pixels);
        let colours = pixels.chunks(4);
        let colours = colours.map(|p| u32::from_le_bytes([p[0], p[1], p[2], 0]));
        assert_eq!(colours.collect::<Vec<_>>(), expected, "{x} {y}");
    };
    const G: u32 = 0xC8_C8_C8;
    const WHITE: u32 = 0xFF_FF_FF;
    const PINK: u32 = 0x00E4_6464;
    check(101, 101, [WHITE, PINK, G, G, BLUE, G]);
    check(100, 100, [BLUE, G, G, G, G, G]);
    check(103, 102, [G, G, G, G, G, WHITE]);
    check(0, 0, [G; 6]);
    check(500, 100, [G; 6]);
    check(101, 500, [G; 6]);
}
