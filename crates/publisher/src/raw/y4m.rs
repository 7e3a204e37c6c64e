//! YUV4MPEG2: a line of parameters, then frames, each with a line of its own.

use std::io::{self, BufRead, BufReader, Read as _};
use std::sync::Arc;

use super::pace::Span;
use super::planes::{Chroma, Layout};
use super::stream::{self, Content, Trouble, Unit};
use super::{Input, Reopen};
use crate::source::{Format, SourceError, VideoFormat};
use crate::{Picture, Size};

const MAGIC: &str = "YUV4MPEG2";

/// Of the first line; ffmpeg's has about 60 bytes.
const MAX_HEADER: u64 = 1_024;

/// Of a frame's line, which is `FRAME` and nothing else as a rule.
const MAX_FRAME_HEADER: u64 = 256;

/// Pictures a second if the header leaves it open, as ffmpeg has it.
const USUAL_RATE: Rate = Rate { num: 25, den: 1 };

/// Pictures a second that make sense.
const MAX_FPS: u32 = 240;

/// Read at once; frames go around it.
const BUFFER: usize = 64 * 1024;

/// What the first line tells.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Header {
    layout: Layout,
    size: Size,
    rate: Rate,
}

/// Pictures a second, as a fraction.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Rate {
    num: u32,
    den: u32,
}

impl Rate {
    /// Rounded up.
    fn fps(self) -> u32 {
        self.num.div_ceil(self.den)
    }

    /// When picture `number` is taken, in seconds from the first.
    fn time_of(self, number: u64) -> f64 {
        number as f64 * f64::from(self.den) / f64::from(self.num)
    }
}

pub(super) struct Reader {
    name: String,
    input: BufReader<Input>,
    header: Header,
    again: Option<Reopen>,
    frame: Vec<u8>,
    /// Of the next picture.
    number: u64,
    /// Where this pass began.
    pass: u64,
    over: bool,
}

impl Reader {
    pub(super) fn open(
        input: Input,
        name: &str,
        again: Option<Reopen>,
    ) -> Result<Self, SourceError> {
        let mut input = BufReader::with_capacity(BUFFER, input);
        let header =
            read_header(&mut input).map_err(|problem| SourceError(format!("{name}: {problem}")))?;
        Ok(Self {
            name: name.to_owned(),
            input,
            header,
            again,
            frame: vec![0; header.layout.bytes()],
            number: 0,
            pass: 0,
            over: false,
        })
    }

    /// The next picture of this pass; `None` at its end.
    fn read_picture(&mut self) -> Result<Option<Picture>, Trouble> {
        let mut line = Vec::new();
        let mut limited = (&mut self.input).take(MAX_FRAME_HEADER);
        let read = limited.read_until(b'\n', &mut line);
        let length = read.map_err(|error| self.failed(&error))?;
        if length == 0 {
            return Ok(None);
        }
        let Some(line) = line.strip_suffix(b"\n") else {
            return Err(self.broken());
        };
        if line != b"FRAME" && !line.starts_with(b"FRAME ") {
            return Err(self.broken());
        }
        match self.input.read_exact(&mut self.frame) {
            Ok(()) => {
                let Header { layout, size, .. } = self.header;
                Ok(Some(layout.picture(&self.frame, size)))
            }
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => Err(self.broken()),
            Err(error) => Err(self.failed(&error)),
        }
    }

    /// Nothing more of this pass can be read.
    fn broken(&mut self) -> Trouble {
        self.end_pass();
        Trouble::Broken(format!(
            "{}: picture {} is incomplete or corrupt, what follows is left out",
            self.name,
            self.number - self.pass + 1
        ))
    }

    fn failed(&mut self, error: &io::Error) -> Trouble {
        self.over = true;
        Trouble::Failed(format!("{}: cannot be read: {error}", self.name))
    }

    /// The next `read_picture` is that of the next pass, if there is one.
    fn end_pass(&mut self) {
        // A pass without a picture would repeat for ever.
        self.over |= self.again.is_none() || self.number == self.pass;
        self.input = BufReader::new(Box::new(io::empty()));
    }

    /// Opens the input for another pass.
    fn begin_pass(&mut self) -> Result<(), Trouble> {
        let Some(again) = &mut self.again else {
            return Ok(());
        };
        let input = again().map_err(|error| self.failed(&error))?;
        let mut input = BufReader::with_capacity(BUFFER, input);
        if read_header(&mut input) != Ok(self.header) {
            self.over = true;
            let text = format!("{}: has changed and cannot be repeated", self.name);
            return Err(Trouble::Failed(text));
        }
        self.input = input;
        self.pass = self.number;
        Ok(())
    }
}

impl stream::Read for Reader {
    fn format(&self) -> Format {
        Format {
            video: Some(VideoFormat::Raw {
                size: self.header.size,
                fps: self.header.rate.fps(),
            }),
            audio: None,
        }
    }

    fn read(&mut self) -> Result<Option<Unit>, Trouble> {
        while !self.over {
            if let Some(picture) = self.read_picture()? {
                let at = self.header.rate.time_of(self.number);
                self.number += 1;
                return Ok(Some(Unit {
                    span: Span { start: at, end: at },
                    content: Content::Picture(Arc::new(picture)),
                }));
            }
            self.end_pass();
            if !self.over {
                self.begin_pass()?;
            }
        }
        Ok(None)
    }
}

/// Reads the first line; what is wrong with it is a sentence.
fn read_header(input: &mut impl BufRead) -> Result<Header, String> {
    let mut line = Vec::new();
    let mut limited = input.take(MAX_HEADER);
    limited
        .read_until(b'\n', &mut line)
        .map_err(|error| format!("cannot be read: {error}"))?;
    let line = line
        .strip_suffix(b"\n")
        .and_then(|line| line.strip_prefix(MAGIC.as_bytes()));
    let line = line.ok_or("is not Y4M: it must begin with a line that begins with YUV4MPEG2")?;
    parse_header(&String::from_utf8_lossy(line))
}

fn parse_header(line: &str) -> Result<Header, String> {
    let (mut width, mut height) = (0, 0);
    let mut rate = USUAL_RATE;
    let mut chroma = Chroma::Quarter;
    let mut full_range = false;
    for parameter in line.split_ascii_whitespace() {
        match parameter.split_at_checked(1) {
            Some(("W", value)) => width = parse_length(value)?,
            Some(("H", value)) => height = parse_length(value)?,
            Some(("F", value)) => rate = parse_rate(value)?,
            Some(("C", value)) => chroma = parse_chroma(value)?,
            Some(("I", value)) => check_progressive(value)?,
            Some(("X", "COLORRANGE=FULL")) => full_range = true,
            // Aspect of pixels, comments.
            Some(_) | None => {}
        }
    }
    let size = even_size(width, height)?;
    let layout = Layout {
        width: width as usize,
        height: height as usize,
        chroma,
        full_range,
    };
    Ok(Header { layout, size, rate })
}

fn parse_length(value: &str) -> Result<u32, String> {
    let length = value.parse();
    length.map_err(|_| format!("the Y4M header's \"{value}\" is no width or height"))
}

/// The largest size that can be sent of a picture.
fn even_size(width: u32, height: u32) -> Result<Size, String> {
    let (even_width, even_height) = (width & !1, height & !1);
    Size::new(even_width, even_height).map_err(|_| {
        format!(
            "pictures of {width}x{height} cannot be sent, {} to {} can: scale them, \
             with ffmpeg by -vf scale=1280:-2",
            Size::MIN,
            Size::MAX
        )
    })
}

fn parse_rate(value: &str) -> Result<Rate, String> {
    let wrong = || format!("the Y4M header's \"{value}\" is no frame rate");
    let (num, den) = value.split_once(':').ok_or_else(wrong)?;
    let rate = Rate {
        num: num.parse().map_err(|_| wrong())?,
        den: den.parse().map_err(|_| wrong())?,
    };
    match rate {
        // Means that it is not known.
        Rate { num: 0, .. } | Rate { den: 0, .. } => Ok(USUAL_RATE),
        rate if rate.fps() > MAX_FPS => Err(format!(
            "{} pictures a second are too many, {MAX_FPS} can be sent: \
             lower the rate, with ffmpeg by -r 30",
            rate.fps()
        )),
        rate => Ok(rate),
    }
}

fn parse_chroma(value: &str) -> Result<Chroma, String> {
    match value {
        // They differ in where chroma samples lie, by half a pixel.
        "420" | "420jpeg" | "420mpeg2" | "420paldv" => Ok(Chroma::Quarter),
        "422" => Ok(Chroma::Half),
        "444" => Ok(Chroma::Full),
        "mono" => Ok(Chroma::Grey),
        other => Err(format!(
            "Y4M pictures in C{other} cannot be read, 8-bit C420, C422, C444 and Cmono can: \
             convert them, with ffmpeg by -pix_fmt yuv420p"
        )),
    }
}

fn check_progressive(value: &str) -> Result<(), String> {
    match value {
        "p" | "?" => Ok(()),
        _ => Err(
            "interlaced pictures cannot be sent: deinterlace them, with ffmpeg by -vf yadif"
                .to_owned(),
        ),
    }
}

#[cfg(test)]
mod tests {
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
        let check = |line: &str, size: &str, fps: u32, chroma: Chroma| {
            let header = parse_header(line).unwrap();
            assert_eq!(header.size.to_string(), size, "{line}");
            assert_eq!(header.rate.fps(), fps, "{line}");
            assert_eq!(header.layout.chroma, chroma, "{line}");
        };
        check(" W1280 H720 F30:1", "1280x720", 30, Chroma::Quarter);
        check(" H720 W1280", "1280x720", 25, Chroma::Quarter);
        check(" W1280 H720 F0:0 C422", "1280x720", 25, Chroma::Half);
        check(
            " W641 H361 F30000:1001 C444 I?",
            "640x360",
            30,
            Chroma::Full,
        );
        check(
            " W640 H360 F1:2 Cmono A1:1 XYSCSS=X",
            "640x360",
            1,
            Chroma::Grey,
        );
        let full = parse_header(" W640 H360 XCOLORRANGE=FULL").unwrap();
        assert!(full.layout.full_range);
    }

    #[test]
    fn each_wrong_header_has_its_sentence() {
        let check = |header: &str, expected: &str| {
            let error = open(header).err().unwrap();
            assert!(error.0.starts_with(&format!("pipe: {expected}")), "{error}");
            assert!(
                !error.0.contains('\n') && !error.0.ends_with('.'),
                "{error}"
            );
        };
        check("", "is not Y4M");
        check("RIFF", "is not Y4M");
        check("YUV4MPEG2 W160 H90", "is not Y4M");
        check(
            &format!("YUV4MPEG2 W160 H90{}\n", " ".repeat(2_000)),
            "is not Y4M",
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
            Some("a.y4m: has changed and cannot be repeated")
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
}
