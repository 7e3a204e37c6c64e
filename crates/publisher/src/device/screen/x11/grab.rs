//! Pixels of an X server: through shared memory where the server is on this
//! machine, else through its connection; and the pointer, drawn into them.
//!
//! The memory is read as the file it is, which costs a copy and needs no
//! unsafe code: a picture of 1280x720 takes about 1 ms, through the connection
//! 15 ms.

use std::fs::File;
use std::os::unix::fs::FileExt;
use std::sync::Arc;
use std::time::{Duration, Instant};

use picture::{Layout, PixelFormat};
use tracing::debug;
use x11rb::connection::{Connection, RequestConnection};
use x11rb::protocol::composite::{self, Redirect};
use x11rb::protocol::shm;
use x11rb::protocol::xfixes::{self, GetCursorImageReply};
use x11rb::protocol::xproto::{ConnectionExt as _, ImageFormat, MapState, Window};
use x11rb::rust_connection::RustConnection;

use super::{Server, check_pixels};
use crate::device::screen::{Grabber, Lost, Shot, Target};

/// How often to look where a display lies now.
const MOVED: Duration = Duration::from_secs(1);

/// A rectangle, in pixels from the upper left corner of the root window.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Area {
    pub(super) x: i16,
    pub(super) y: i16,
    pub(super) width: u16,
    pub(super) height: u16,
}

impl Area {
    fn bytes(self) -> usize {
        usize::from(self.width) * usize::from(self.height) * 4
    }
}

pub(super) struct X11Grabber {
    server: Server,
    target: Target,
    /// A display's, and when that was asked.
    display: Option<(Area, Instant)>,
    /// `None` until first needed; the error that keeps it from being used.
    memory: Option<Result<Memory, Lost>>,
    has_pointer: bool,
    pixels: Vec<u8>,
}

impl X11Grabber {
    pub(super) fn new(server: Server, target: Target) -> Self {
        let connection = &*server.connection;
        let has_pointer =
            xfixes::query_version(connection, 4, 0).is_ok_and(|cookie| cookie.reply().is_ok());
        if let Target::Window(window) = target {
            keep_whole(connection, window);
        }
        Self {
            server,
            target,
            display: None,
            memory: None,
            has_pointer,
            pixels: Vec::new(),
        }
    }

    /// As if the server were on another machine.
    #[cfg(test)]
    pub(super) fn without_memory(server: Server, target: Target) -> Self {
        let mut grabber = Self::new(server, target);
        grabber.memory = Some(Err(Lost::Failed("not wanted".to_owned())));
        grabber
    }

    /// What to grab from which window, and where that lies.
    fn locate(&mut self) -> Result<(Window, Area, Area), Lost> {
        match self.target {
            Target::Display(index) => {
                let area = self.display(index)?;
                Ok((self.server.root, area, area))
            }
            Target::Window(window) => {
                let place = self.window(window)?;
                Ok((
                    window,
                    Area {
                        x: 0,
                        y: 0,
                        ..place
                    },
                    place,
                ))
            }
        }
    }

    fn display(&mut self, index: usize) -> Result<Area, Lost> {
        let now = Instant::now();
        if let Some((area, asked)) = self.display
            && now < asked + MOVED
        {
            return Ok(area);
        }
        let displays = self.server.displays()?;
        let area = displays.get(index).ok_or(Lost::Gone)?.area;
        self.display = Some((area, now));
        Ok(area)
    }

    fn window(&self, window: Window) -> Result<Area, Lost> {
        let connection = &self.server.connection;
        let attributes = connection.get_window_attributes(window)?;
        let geometry = connection.get_geometry(window)?;
        let corner = connection.translate_coordinates(window, self.server.root, 0, 0)?;
        if attributes.reply()?.map_state != MapState::VIEWABLE {
            return Err(Lost::Hidden);
        }
        let (geometry, corner) = (geometry.reply()?, corner.reply()?);
        Ok(Area {
            x: corner.dst_x,
            y: corner.dst_y,
            width: geometry.width,
            height: geometry.height,
        })
    }

    /// Fills `pixels`, by shared memory if that can be had.
    fn fetch(&mut self, window: Window, area: Area) -> Result<(), Lost> {
        let connection = &self.server.connection;
        if !matches!(&self.memory, Some(Ok(memory)) if memory.size >= area.bytes())
            && !matches!(&self.memory, Some(Err(_)))
        {
            let memory = Memory::new(connection, area.bytes());
            if let Err(why) = &memory {
                debug!(?why, "no memory is shared with the X server");
            }
            self.memory = Some(memory);
        }
        match &self.memory {
            Some(Ok(memory)) => memory.fetch(window, area, &mut self.pixels),
            Some(Err(_)) | None => {
                let Area {
                    x,
                    y,
                    width,
                    height,
                } = area;
                let image =
                    connection.get_image(ImageFormat::Z_PIXMAP, window, x, y, width, height, !0)?;
                let image = image.reply()?;
                check_pixels(connection, image.depth)?;
                self.pixels = image.data;
                Ok(())
            }
        }
    }
}

impl Grabber for X11Grabber {
    fn grab(&mut self) -> Result<Shot<'_>, Lost> {
        let (window, area, place) = self.locate()?;
        let fetched = self.fetch(window, area);
        if fetched.is_err() {
            // It may lie elsewhere now.
            self.display = None;
        }
        fetched?;
        if self.has_pointer {
            let pointer = xfixes::get_cursor_image(&*self.server.connection)?;
            draw_pointer(&pointer.reply()?, place, &mut self.pixels);
        }
        let (width, height) = (area.width.into(), area.height.into());
        Ok(Shot {
            layout: Layout::packed(PixelFormat::Bgrx, width, height),
            bytes: &self.pixels,
        })
    }
}

/// Has the server keep all of a window, also what others cover. Without the
/// extension, or if that fails, what covers it is seen in it.
fn keep_whole(connection: &RustConnection, window: Window) {
    let asked = composite::query_version(connection, 0, 4);
    if asked.is_ok_and(|cookie| cookie.reply().is_ok()) {
        let redirected = composite::redirect_window(connection, window, Redirect::AUTOMATIC);
        drop(redirected.map(|cookie| cookie.check()));
    }
}

/// Memory that the X server made and shares with us.
struct Memory {
    connection: Arc<RustConnection>,
    segment: shm::Seg,
    file: File,
    size: usize,
}

impl Memory {
    fn new(connection: &Arc<RustConnection>, size: usize) -> Result<Self, Lost> {
        // Asking for an extension that is not there would be our mistake.
        let known = connection.extension_information(shm::X11_EXTENSION_NAME)?;
        known.ok_or_else(|| Lost::Failed("there is no MIT-SHM".to_owned()))?;
        let segment = connection.generate_id()?;
        let bytes = u32::try_from(size).map_err(|_| Lost::Failed("too large".to_owned()))?;
        let shared = shm::create_segment(&**connection, segment, bytes, false)?.reply()?;
        Ok(Self {
            connection: Arc::clone(connection),
            segment,
            file: File::from(shared.shm_fd),
            size,
        })
    }

    fn fetch(&self, window: Window, area: Area, pixels: &mut Vec<u8>) -> Result<(), Lost> {
        let image = shm::get_image(
            &*self.connection,
            window,
            area.x,
            area.y,
            area.width,
            area.height,
            !0,
            ImageFormat::Z_PIXMAP.into(),
            self.segment,
            0,
        )?;
        let image = image.reply()?;
        check_pixels(&self.connection, image.depth)?;
        pixels.resize(area.bytes(), 0);
        let read = self.file.read_exact_at(pixels, 0);
        read.map_err(|error| Lost::Failed(error.to_string()))
    }
}

impl Drop for Memory {
    fn drop(&mut self) {
        // Fails only if the connection is gone, and the memory with it.
        drop(shm::detach(&*self.connection, self.segment));
    }
}

/// Draws the pointer over pixels of the screen that lie at `place`.
pub(super) fn draw_pointer(pointer: &GetCursorImageReply, place: Area, pixels: &mut [u8]) {
    let left = i32::from(pointer.x) - i32::from(pointer.xhot) - i32::from(place.x);
    let top = i32::from(pointer.y) - i32::from(pointer.yhot) - i32::from(place.y);
    let columns = usize::from(place.width);
    let rows = pointer
        .cursor_image
        .chunks_exact(usize::from(pointer.width).max(1));
    for (row, from) in (top..).zip(rows) {
        let Some(line) = usize::try_from(row).ok() else {
            continue;
        };
        let Some(line) = pixels.chunks_exact_mut(columns * 4).nth(line) else {
            return;
        };
        for (column, from) in (left..).zip(from) {
            let Ok(column) = usize::try_from(column) else {
                continue;
            };
            if let Some(pixel) = line.get_mut(column * 4..column * 4 + 3) {
                blend(*from, pixel);
            }
        }
    }
}

/// Lays a pixel of alpha, red, green and blue, these multiplied by alpha, over
/// one of blue, green and red.
fn blend(over: u32, under: &mut [u8]) {
    let [blue, green, red, alpha] = over.to_le_bytes();
    for (under, over) in under.iter_mut().zip([blue, green, red]) {
        let through = (u32::from(*under) * u32::from(255 - alpha) + 127) / 255;
        *under = (u32::from(over) + through).min(255) as u8;
    }
}
