//! Clients of a few lines of JavaScript, which do in a page what ours does not.

use anyhow::{Context, Result};
use serde::Deserialize;
use serde_json::{Value, json};
use strip::Stamp;

use crate::{Browser, Server, picture};

const WCS: &str = include_str!("scripts/wcs.js");
const WHIP: &str = include_str!("scripts/whip.js");

/// Publishes the camera by the name `arguments[1]` in a session to be kept.
const PUBLISH_KEPT: &str = r"
    const [url, name] = arguments;
    return (async () => {
        const client = await Wcs.connect(url, { keepAlive: true });
        const devices = { audio: true, video: true };
        const camera = await navigator.mediaDevices.getUserMedia(devices);
        const id = await client.publish(name, camera);
        window.kept = { url, client, id };
    })();
";

/// Takes the session up again; resolves with what both tokens are, once the
/// stream is told to be on air.
const RESUME: &str = r"
    const { url, client, id } = window.kept;
    return (async () => {
        const { authToken } = client.user;
        const back = await Wcs.connect(url, { keepAlive: true, authToken });
        await back.heardStatus(id, 'PUBLISHING');
        window.kept = { url, client: back, id };
        return [authToken, back.user.authToken];
    })();
";

/// Publishes the camera in layers of a quarter, a half and the full size, or in
/// one layer.
const PUBLISH_WHIP: &str = r"
    const [url, codec, layered] = arguments;
    const layers = [
        { rid: 'q', scaleResolutionDownBy: 4, maxBitrate: 100_000 },
        { rid: 'h', scaleResolutionDownBy: 2, maxBitrate: 300_000 },
        { rid: 'f', scaleResolutionDownBy: 1, maxBitrate: 1_000_000 },
    ];
    return (async () => {
        const video = { width: 960, height: 540, frameRate: 15 };
        const camera = await navigator.mediaDevices.getUserMedia({ audio: true, video });
        await whip(url, camera, layered ? layers : [{}], codec);
    })();
";

/// Takes a snapshot and resolves with its size and the luma at the centres
/// `arguments[2]`.
const SNAPSHOT: &str = r"
    const [url, name, centers] = arguments;
    return (async () => {
        const client = await Wcs.connect(url, {});
        const png = await client.snapshot(name);
        client.socket.close();
        const image = new Image();
        image.src = `data:image/png;base64,${png}`;
        await image.decode();
        const { naturalWidth: width, naturalHeight: height } = image;
        const canvas = new OffscreenCanvas(width, height);
        const context = canvas.getContext('2d');
        context.drawImage(image, 0, 0);
        const { data } = context.getImageData(0, 0, width, height);
        const luma = centers.map(([x, y]) => data[4 * (y * width + x) + 1]);
        return { width, height, luma, isPng: atob(png).startsWith('\x89PNG\r\n') };
    })();
";

/// Asks once; true when there is no such stream on air.
const IS_UNAVAILABLE: &str = r"
    const [url, name] = arguments;
    return (async () => {
        window.asker ??= await Wcs.connect(url, {});
        const mediaSessionId = crypto.randomUUID();
        window.asker.send('availableStream', { mediaSessionId, name });
        const isOurs = ([answer]) => answer.id === mediaSessionId;
        const [{ status }] = await window.asker.heard('availableStream', isOurs);
        return status !== 'true';
    })();
";

/// A publisher of the camera whose session asks to be kept, by Web Call
/// Server's signalling.
#[derive(Debug)]
pub struct KeptPublisher<'b> {
    browser: &'b Browser,
}

/// A single picture of a stream.
#[derive(Debug)]
pub struct Snapshot {
    /// Pixels across.
    pub width: u32,
    /// Pixels down.
    pub height: u32,
    /// What its strip says; `None` if it cannot be read.
    pub stamp: Option<Stamp>,
}

/// How a WHIP publisher sends its picture.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Layers {
    /// Once.
    One,
    /// As simulcast (RFC 8853) of three, 540, 270 and 135 pixels high.
    Three,
}

impl<'b> KeptPublisher<'b> {
    /// Publishes by `name` through the signalling at `url`, from the current
    /// page, and waits for PUBLISHING.
    ///
    /// # Errors
    /// The server refuses.
    pub async fn start(browser: &'b Browser, url: &str, name: &str) -> Result<Self> {
        let script = format!("{WCS}{PUBLISH_KEPT}");
        browser.run(&script, vec![json!(url), json!(name)]).await?;
        Ok(Self { browser })
    }

    /// Waits until its socket is gone.
    ///
    /// # Errors
    /// It stays.
    pub async fn wait_lost(&self) -> Result<()> {
        let closed = "return window.kept.client.closed";
        let waited = self.browser.wait_until("a lost socket", closed, vec![]);
        waited.await.map(drop)
    }

    /// Takes the session up on another socket, and waits until the server says
    /// that the stream is on air.
    ///
    /// # Errors
    /// The server does not know the session any more.
    pub async fn resume(&self) -> Result<()> {
        let script = format!("{WCS}{RESUME}");
        let tokens = self.browser.run(&script, vec![]).await?;
        let (before, after): (String, String) = serde_json::from_value(tokens)?;
        anyhow::ensure!(before == after, "another session: {after}, not {before}");
        Ok(())
    }
}

/// Publishes the camera by WHIP from the current page, for as long as that is
/// open, and waits until it is connected. `codec` is a media type, `video/VP8`.
///
/// # Errors
/// The server refuses, or the browser does not encode that.
pub async fn publish_by_whip(
    browser: &Browser,
    server: &Server,
    name: &str,
    codec: &str,
    layers: Layers,
) -> Result<()> {
    let url = format!("{}whip/{name}", server.url());
    let arguments = vec![json!(url), json!(codec), json!(layers == Layers::Three)];
    let script = format!("{WHIP}{PUBLISH_WHIP}");
    browser.run(&script, arguments).await?;
    Ok(())
}

/// Waits until the server knows that nobody publishes `name` any more.
///
/// # Errors
/// Somebody does to the end.
pub async fn wait_unavailable(browser: &Browser, server: &Server, name: &str) -> Result<()> {
    let what = format!("{name} to be unavailable");
    let arguments = vec![json!(server.signalling_url()), json!(name)];
    let script = format!("{WCS}{IS_UNAVAILABLE}");
    browser.wait_until(&what, &script, arguments).await?;
    Ok(())
}

/// Takes a snapshot of the stream `name` by signalling; its strip is read where
/// a picture of `size`, in pixels across and down, has it.
///
/// # Errors
/// The server has none, or what it sends is not PNG.
pub async fn snapshot(
    browser: &Browser,
    server: &Server,
    name: &str,
    size: (u32, u32),
) -> Result<Snapshot> {
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Raw {
        width: u32,
        height: u32,
        luma: Vec<u8>,
        is_png: bool,
    }
    let centers = picture::cell_centers(size.0, size.1);
    let arguments: Vec<Value> = vec![json!(server.signalling_url()), json!(name), json!(centers)];
    let raw = browser.run(&format!("{WCS}{SNAPSHOT}"), arguments).await?;
    let raw: Raw = serde_json::from_value(raw).context("a snapshot")?;
    anyhow::ensure!(raw.is_png, "the snapshot is not a PNG");
    Ok(Snapshot {
        width: raw.width,
        height: raw.height,
        stamp: picture::stamp(&raw.luma),
    })
}
