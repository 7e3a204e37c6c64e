use super::*;
use crate::raw::testing::{garble, outcome, read_through};

const SMALL: &str = "YUV4MPEG2 W160 H90 F30:1 Ip C420jpeg\n";
const FRAME: usize = 160 * 90 * 3 / 2;

fn open(bytes: impl Into<Vec<u8>>) -> Result<Reader, SourceError> {
    Reader::open(Box::new(io::Cursor::new(bytes.into())), "pipe", None)
}

/// A header and `count` frames, each of its number.
fn movie(header: &str, count: u8, frame: usize) -> Vec<u8> {
    let mut bytes = header.as_bytes().to_vec();
    for number in 0..count {
        bytes.extend(b"FRAME\n");
        bytes.resize(bytes.len() + frame, number + 20);
    }
    bytes
}

#[test]
fn headers_are_read() {
    let check = |line: &str, size: &str, fps: u32, format: PixelFormat| {
        let header = parse_header(line).unwrap();
        assert_eq!(header.size.to_string(), size, "{line}");
        assert_eq!(header.rate.fps(), fps, "{line}");
        assert_eq!(header.layout.format, format, "{line}");
    };
    check(" W1280 H720 F30:1", "1280x720", 30, PixelFormat::I420);
    check(" H720 W1280", "1280x720", 25, PixelFormat::I420);
    check(" W1280 H720 F0:0 C422", "1280x720", 25, PixelFormat::I422);
    check(
        " W641 H361 F30000:1001 C444 I?",
        "640x360",
        30,
        PixelFormat::I444,
    );
    check(
        " W640 H360 F1:2 Cmono A1:1 XYSCSS=X",
        "640x360",
        1,
        PixelFormat::Grey,
    );
    let full = parse_header(" W640 H360 XCOLORRANGE=FULL").unwrap();
    assert!(full.layout.colours.full_range);
}

#[test]
fn each_wrong_header_has_its_sentence() {
    let check = |header: &str, expected: &str| {
        let error = open(header).err().unwrap();
        assert!(
            error
                .0
                .starts_with(&format!("cannot play pipe: {expected}")),
            "{error}"
        );
        assert!(
            !error.0.contains('\n') && !error.0.ends_with('.'),
            "{error}"
        );
    };
    check("", "it is not Y4M");
    check("RIFF", "it is not Y4M");
    check("YUV4MPEG2 W160 H90", "it is not Y4M");
    check(
        &format!("YUV4MPEG2 W160 H90{}\n", " ".repeat(2_000)),
        "it is not Y4M",
    );
    check(
        "YUV4MPEG2 Wx H90\n",
        "the Y4M header's \"x\" is no width or height",
    );
    check(
        "YUV4MPEG2 W99999999999 H90\n",
        "the Y4M header's \"99999999999\"",
    );
    check(
        "YUV4MPEG2 F30:1\n",
        "pictures of 0x0 cannot be sent, 160x90 to 3840x2160 can",
    );
    check(
        "YUV4MPEG2 W7680 H4320\n",
        "pictures of 7680x4320 cannot be sent",
    );
    check(
        "YUV4MPEG2 W4294967295 H4294967295\n",
        "pictures of 4294967295x4294967295",
    );
    check(
        "YUV4MPEG2 W160 H90 F30\n",
        "the Y4M header's \"30\" is no frame rate",
    );
    check(
        "YUV4MPEG2 W160 H90 F1000:1\n",
        "1000 pictures a second are too many",
    );
    check(
        "YUV4MPEG2 W160 H90 C420p10\n",
        "Y4M pictures in C420p10 cannot be read",
    );
    check(
        "YUV4MPEG2 W160 H90 It\n",
        "interlaced pictures cannot be sent",
    );
}

#[test]
fn pictures_come_in_order_on_their_grid() {
    let header = "YUV4MPEG2 W161 H91 F30000:1001\n";
    let mut reader = open(movie(header, 3, 161 * 91 + 2 * 81 * 46)).unwrap();
    for number in 0..3_u8 {
        let unit = stream::Read::read(&mut reader).unwrap().unwrap();
        assert_eq!(unit.span.start, f64::from(number) * 1001.0 / 30_000.0);
        let Content::Picture(picture) = unit.content else {
            panic!("no picture")
        };
        assert_eq!(picture.size().to_string(), "160x90");
        assert!(
            picture
                .y
                .iter()
                .chain(&picture.v)
                .all(|&sample| sample == number + 20)
        );
    }
    assert!(stream::Read::read(&mut reader).unwrap().is_none());
}

#[test]
fn what_breaks_off_is_told_and_ends() {
    let whole = movie(SMALL, 2, FRAME);
    let check = |length: usize, pictures: usize, notices: &[&str]| {
        let (units, told, error) = outcome(open(&whole[..length]).unwrap());
        assert_eq!((units, error), (pictures, None), "{length}");
        assert_eq!(told, notices, "{length}");
    };
    let first = "pipe: picture 1 is incomplete or corrupt, what follows is left out";
    let second = "pipe: picture 2 is incomplete or corrupt, what follows is left out";
    check(SMALL.len(), 0, &[]);
    check(SMALL.len() + 3, 0, &[first]);
    check(SMALL.len() + 6, 0, &[first]);
    check(SMALL.len() + 6 + FRAME - 1, 0, &[first]);
    check(SMALL.len() + 6 + FRAME, 1, &[]);
    check(SMALL.len() + 6 + FRAME + 1, 1, &[second]);
    check(whole.len() - 1, 1, &[second]);
    check(whole.len(), 2, &[]);
}

#[test]
fn repeated_pictures_go_on_counting() {
    let bytes = movie(SMALL, 3, FRAME);
    let copy = bytes.clone();
    let mut passes = 0;
    let again: Reopen = Box::new(move || {
        passes += 1;
        match passes {
            1 => Ok(Box::new(io::Cursor::new(copy.clone()))),
            // Breaks off in the second picture.
            2 => Ok(Box::new(io::Cursor::new(
                copy[..copy.len() - FRAME].to_vec(),
            ))),
            3 => Ok(Box::new(io::Cursor::new(b"YUV4MPEG2 W320 H180\n"))),
            _ => panic!("read on after the end"),
        }
    });
    let input = Box::new(io::Cursor::new(bytes));
    let reader = Reader::open(input, "a.y4m", Some(again)).unwrap();
    let mut starts = Vec::new();
    let (units, notices, error) = read_through(reader, |start| starts.push(start));
    assert_eq!(units, 8);
    let expected: Vec<f64> = (0..8).map(|number| f64::from(number) / 30.0).collect();
    assert_eq!(starts, expected);
    assert_eq!(
        notices,
        ["a.y4m: picture 3 is incomplete or corrupt, what follows is left out"]
    );
    assert_eq!(
        error.as_deref(),
        Some("a.y4m: it has changed and cannot be repeated")
    );
}

#[test]
fn an_input_without_pictures_does_not_repeat_for_ever() {
    let again: Reopen = Box::new(|| Ok(Box::new(io::Cursor::new(SMALL))));
    let input = Box::new(io::Cursor::new(SMALL));
    let reader = Reader::open(input, "a.y4m", Some(again)).unwrap();
    assert_eq!(outcome(reader), (0, vec![], None));
}

#[test]
fn garbled_input_does_no_harm() {
    let whole = movie(SMALL, 3, FRAME);
    garble(&whole, SMALL.len() + 12, |bytes| {
        open(bytes).ok().map(outcome)
    });
}
