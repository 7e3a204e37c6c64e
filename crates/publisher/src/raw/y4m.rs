//! YUV4MPEG2: a line of parameters, then frames, each with a line of its own.

use std::io::{self, BufRead, BufReader, Read as _};
use std::sync::Arc;

use picture::{Canvases, Colours, Converter, Layout, PixelFormat};

use super::pace::Span;
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
    converter: Converter,
    canvases: Canvases,
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
        let header = read_header(&mut input)
            .map_err(|problem| SourceError(format!("cannot play {name}: {problem}")))?;
        Ok(Self {
            name: name.to_owned(),
            input,
            header,
            again,
            frame: vec![0; header.layout.bytes()],
            converter: Converter::default(),
            canvases: Canvases::new(Picture::black(header.size)),
            number: 0,
            pass: 0,
            over: false,
        })
    }

    /// The next picture of this pass; `None` at its end.
    fn read_picture(&mut self) -> Result<Option<Arc<Picture>>, Trouble> {
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
                let (layout, frame) = (&self.header.layout, &self.frame);
                let convert = |canvas: &mut Picture| self.converter.convert(layout, frame, canvas);
                let picture = self.canvases.draw(convert);
                picture.map(Some).map_err(|_| self.broken())
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
        Trouble::Failed(format!("{}: it cannot be read ({error})", self.name))
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
            let text = format!("{}: it has changed and cannot be repeated", self.name);
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
                    content: Content::Picture(picture),
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
        .map_err(|error| format!("it cannot be read ({error})"))?;
    let line = line
        .strip_suffix(b"\n")
        .and_then(|line| line.strip_prefix(MAGIC.as_bytes()));
    let line = line.ok_or("it is not Y4M, which begins with a line that begins with YUV4MPEG2")?;
    parse_header(&String::from_utf8_lossy(line))
}

fn parse_header(line: &str) -> Result<Header, String> {
    let (mut width, mut height) = (0, 0);
    let mut rate = USUAL_RATE;
    let mut format = PixelFormat::I420;
    let mut full_range = false;
    for parameter in line.split_ascii_whitespace() {
        match parameter.split_at_checked(1) {
            Some(("W", value)) => width = parse_length(value)?,
            Some(("H", value)) => height = parse_length(value)?,
            Some(("F", value)) => rate = parse_rate(value)?,
            Some(("C", value)) => format = parse_chroma(value)?,
            Some(("I", value)) => check_progressive(value)?,
            Some(("X", "COLORRANGE=FULL")) => full_range = true,
            // Aspect of pixels, comments.
            Some(_) | None => {}
        }
    }
    let size = even_size(width, height)?;
    let layout = Layout {
        // Which matrix it is, nothing tells.
        colours: Colours {
            full_range,
            ..Colours::OURS
        },
        ..Layout::packed(format, width as usize, height as usize)
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
            "pictures of {width}x{height} cannot be sent, {} to {} can; scale them, \
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
            "{} pictures a second are too many, {MAX_FPS} can be sent; \
             lower the rate, with ffmpeg by -r 30",
            rate.fps()
        )),
        rate => Ok(rate),
    }
}

fn parse_chroma(value: &str) -> Result<PixelFormat, String> {
    match value {
        // They differ in where chroma samples lie, by half a pixel.
        "420" | "420jpeg" | "420mpeg2" | "420paldv" => Ok(PixelFormat::I420),
        "422" => Ok(PixelFormat::I422),
        "444" => Ok(PixelFormat::I444),
        "mono" => Ok(PixelFormat::Grey),
        other => Err(format!(
            "Y4M pictures in C{other} cannot be read, 8-bit C420, C422, C444 and Cmono can; \
             convert them, with ffmpeg by -pix_fmt yuv420p"
        )),
    }
}

fn check_progressive(value: &str) -> Result<(), String> {
    match value {
        "p" | "?" => Ok(()),
        _ => Err(
            "interlaced pictures cannot be sent; deinterlace them, with ffmpeg by -vf yadif"
                .to_owned(),
        ),
    }
}

#[cfg(test)]
mod tests;
