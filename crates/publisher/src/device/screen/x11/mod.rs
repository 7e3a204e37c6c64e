//! Displays and windows of an X server.
//!
//! Displays are RandR's monitors, windows those that a window manager lists
//! (EWMH `_NET_CLIENT_LIST_STACKING`), or all that have a name where there is
//! no window manager.

mod grab;
#[cfg(test)]
mod tests;

use std::env;
use std::sync::Arc;

use x11rb::connection::{Connection, RequestConnection};
use x11rb::errors::{ConnectionError, ReplyError, ReplyOrIdError};
use x11rb::protocol::randr;
use x11rb::protocol::xproto::{self, Atom, AtomEnum, ConnectionExt as _, MapState, Window};
use x11rb::rust_connection::RustConnection;

use super::{Backend, Clock, DisplayInfo, Grabber, Lost, Target, Targets, WindowInfo};
use grab::{Area, X11Grabber};

/// Longest title read, in units of four bytes.
const TITLE: u32 = 256;

/// Most windows listed.
const WINDOWS: u32 = 4096;

pub(super) fn backend() -> Box<dyn Backend> {
    Box::new(X11 { display: None })
}

/// The X server of `DISPLAY`, or of another name. It is connected to anew for
/// each thing that is opened, so that it may come back too.
struct X11 {
    display: Option<String>,
}

impl Clock for X11 {}

impl Backend for X11 {
    fn list(&mut self) -> Result<Targets, String> {
        let server = Server::connect(self.display.as_deref())?;
        let displays = server.displays().map_err(|lost| lost.reason())?;
        let windows = server.windows().map_err(|lost| lost.reason())?;
        let displays = displays.into_iter().enumerate();
        Ok(Targets {
            displays: displays
                .map(|(index, display)| display.info(index))
                .collect(),
            windows,
        })
    }

    fn open(&mut self, target: Target) -> Result<Box<dyn Grabber>, String> {
        let server = Server::connect(self.display.as_deref())?;
        if matches!(target, Target::Display(_)) && server.is_xwayland() {
            return Err(WAYLAND.to_owned());
        }
        Ok(Box::new(X11Grabber::new(server, target)))
    }
}

const WAYLAND: &str = "the screen of a Wayland session cannot be captured by this program: \
                       log in to an X11 session";

/// A connection to an X server.
struct Server {
    connection: Arc<RustConnection>,
    root: Window,
}

/// A monitor.
struct Display {
    name: String,
    primary: bool,
    area: Area,
}

impl Display {
    fn info(self, index: usize) -> DisplayInfo {
        DisplayInfo {
            index,
            name: self.name,
            width: self.area.width.into(),
            height: self.area.height.into(),
            primary: self.primary,
        }
    }
}

impl Server {
    fn connect(display: Option<&str>) -> Result<Self, String> {
        let (connection, screen) = RustConnection::connect(display).map_err(|error| {
            let wayland = env::var_os("WAYLAND_DISPLAY").is_some_and(|name| !name.is_empty());
            match (display, wayland) {
                (None, true) => WAYLAND.to_owned(),
                (None, false) if env::var_os("DISPLAY").is_none() => {
                    "there is no screen: run this in a graphical session, or set DISPLAY".to_owned()
                }
                _ => format!("the X server cannot be reached: {error}"),
            }
        })?;
        let root = connection.setup().roots.get(screen);
        let root = root.ok_or("the X server has no screen")?.root;
        Ok(Self {
            connection: Arc::new(connection),
            root,
        })
    }

    /// Whether this is X on top of Wayland, whose root window stays black.
    fn is_xwayland(&self) -> bool {
        let asked = self.connection.query_extension(b"XWAYLAND");
        let answer = asked.ok().and_then(|cookie| cookie.reply().ok());
        answer.is_some_and(|answer| answer.present)
    }

    fn displays(&self) -> Result<Vec<Display>, Lost> {
        let randr = self
            .connection
            .extension_information(randr::X11_EXTENSION_NAME);
        if randr?.is_none() {
            return Ok(vec![self.whole()?]);
        }
        let monitors = randr::get_monitors(&*self.connection, self.root, true)?.reply()?;
        let mut displays = Vec::new();
        for monitor in monitors.monitors {
            displays.push(Display {
                name: self.atom_name(monitor.name)?,
                primary: monitor.primary,
                area: Area {
                    x: monitor.x,
                    y: monitor.y,
                    width: monitor.width,
                    height: monitor.height,
                },
            });
        }
        Ok(displays)
    }

    /// All of the screen, where the server does not know of monitors.
    fn whole(&self) -> Result<Display, Lost> {
        let root = self.connection.get_geometry(self.root)?.reply()?;
        Ok(Display {
            name: "screen".to_owned(),
            primary: true,
            area: Area {
                x: 0,
                y: 0,
                width: root.width,
                height: root.height,
            },
        })
    }

    fn atom_name(&self, atom: Atom) -> Result<String, Lost> {
        let reply = self.connection.get_atom_name(atom)?.reply()?;
        Ok(String::from_utf8_lossy(&reply.name).into_owned())
    }

    fn atom(&self, name: &str) -> Result<Atom, Lost> {
        let reply = self
            .connection
            .intern_atom(false, name.as_bytes())?
            .reply()?;
        Ok(reply.atom)
    }

    /// Those that can be seen and have a title, the topmost last.
    fn windows(&self) -> Result<Vec<WindowInfo>, Lost> {
        let utf8_title = self.atom("_NET_WM_NAME")?;
        let mut windows = Vec::new();
        for id in self.window_ids()? {
            match self.window(id, utf8_title) {
                Ok(Some(window)) => windows.push(window),
                // It has been closed meanwhile.
                Ok(None) | Err(Lost::Gone | Lost::Hidden) => {}
                Err(Lost::Failed(why)) => return Err(Lost::Failed(why)),
            }
        }
        Ok(windows)
    }

    fn window_ids(&self) -> Result<Vec<Window>, Lost> {
        let list = self.atom("_NET_CLIENT_LIST_STACKING")?;
        let kind = AtomEnum::WINDOW;
        let listed = self
            .connection
            .get_property(false, self.root, list, kind, 0, WINDOWS)?
            .reply()?;
        match listed.value32() {
            Some(ids) => Ok(ids.collect()),
            None => Ok(self.connection.query_tree(self.root)?.reply()?.children),
        }
    }

    /// `None` if it cannot be seen, or has no title.
    fn window(&self, id: Window, utf8_title: Atom) -> Result<Option<WindowInfo>, Lost> {
        let attributes = self.connection.get_window_attributes(id)?;
        let geometry = self.connection.get_geometry(id)?;
        let title = |name: Atom| {
            let any = AtomEnum::ANY;
            self.connection.get_property(false, id, name, any, 0, TITLE)
        };
        let modern = title(utf8_title)?;
        let old = title(AtomEnum::WM_NAME.into())?;
        let attributes = attributes.reply()?;
        let geometry = geometry.reply()?;
        let (modern, old) = (modern.reply()?.value, old.reply()?.value);
        let title = if modern.is_empty() { old } else { modern };
        let seen = attributes.map_state == MapState::VIEWABLE;
        Ok((seen && !title.is_empty()).then(|| WindowInfo {
            id,
            title: String::from_utf8_lossy(&title).into_owned(),
            width: geometry.width.into(),
            height: geometry.height.into(),
        }))
    }
}

impl From<ReplyError> for Lost {
    fn from(error: ReplyError) -> Self {
        use x11rb::protocol::ErrorKind;
        match error {
            ReplyError::ConnectionError(error) => error.into(),
            ReplyError::X11Error(error) => {
                if matches!(error.error_kind, ErrorKind::Window | ErrorKind::Drawable) {
                    Self::Gone
                } else if error.error_kind == ErrorKind::Match {
                    Self::Hidden
                } else {
                    Self::Failed(format!("{:?} error of the X server", error.error_kind))
                }
            }
        }
    }
}

impl From<ConnectionError> for Lost {
    fn from(error: ConnectionError) -> Self {
        Self::Failed(error.to_string())
    }
}

impl From<ReplyOrIdError> for Lost {
    fn from(error: ReplyOrIdError) -> Self {
        match error {
            ReplyOrIdError::IdsExhausted => Self::Failed(error.to_string()),
            ReplyOrIdError::ConnectionError(error) => error.into(),
            ReplyOrIdError::X11Error(error) => ReplyError::X11Error(error).into(),
        }
    }
}

/// Whether a pixel is what we can read: blue, green, red and a byte more.
fn check_pixels(connection: &RustConnection, depth: u8) -> Result<(), Lost> {
    let setup = connection.setup();
    let mut formats = setup.pixmap_formats.iter();
    let bits = formats.find(|format| format.depth == depth);
    let bits = bits.map_or(0, |format| format.bits_per_pixel);
    let little = setup.image_byte_order == xproto::ImageOrder::LSB_FIRST;
    if matches!(depth, 24 | 32) && bits == 32 && little {
        return Ok(());
    }
    Err(Lost::Failed(format!(
        "its colours have {depth} bits; this program reads 24"
    )))
}
