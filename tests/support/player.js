// What a test of the player needs of the browser: autoplay rules, keys, files
// and full screen as the test wants them.

const media = HTMLMediaElement.prototype;
const real = {
  play: media.play,
  paused: Object.getOwnPropertyDescriptor(media, "paused"),
  click: HTMLAnchorElement.prototype.click,
  request: Element.prototype.requestFullscreen,
};

const refusal = () => Promise.reject(new DOMException("a press is needed", "NotAllowedError"));

// "all": everything may start; "muted": only without sound; "nothing".
export function autoplay(allowed) {
  let refused = false;
  media.play = function () {
    refused = allowed === "nothing" || (allowed === "muted" && !this.muted);
    if (refused) return refusal();
    void real.play.call(this).catch(() => {});
    return Promise.resolve();
  };
  // Without a real press the browser may pause what is told to be heard.
  Object.defineProperty(media, "paused", { configurable: true, get: () => refused });
}

// Back to the browser's own rules, and nothing remembered.
export function reset() {
  media.play = real.play;
  Object.defineProperty(media, "paused", real.paused);
  HTMLAnchorElement.prototype.click = real.click;
  Element.prototype.requestFullscreen = real.request;
  delete document.fullscreenElement;
  localStorage.clear();
}

// Whether the page took the key.
export const press = (target, key, more) =>
  !target.dispatchEvent(
    new KeyboardEvent("keydown", { key, bubbles: true, cancelable: true, ...JSON.parse(more) }),
  );

export const focused = () => document.activeElement?.id ?? "";

export const isModal = (dialog) => dialog.matches(":modal");

// Keeps downloads from happening; `lastDownload()` is [name, address].
let download = ["", ""];
export function catchDownloads() {
  HTMLAnchorElement.prototype.click = function () {
    download = [this.download, this.href];
  };
}
export const lastDownload = () => download;

export const canBeRead = (address) => fetch(address).then(() => true, () => false);

// [width, height, brightest sample] of an image file.
export async function look(blob) {
  const image = await createImageBitmap(blob);
  const canvas = new OffscreenCanvas(image.width, image.height);
  const context = canvas.getContext("2d");
  context.drawImage(image, 0, 0);
  const { data } = context.getImageData(0, 0, image.width, image.height);
  let brightest = 0;
  for (let at = 0; at < data.length; at += 4) brightest = Math.max(brightest, data[at + 1]);
  return [image.width, image.height, brightest];
}

export function giveScreen(element) {
  Object.defineProperty(document, "fullscreenElement", { configurable: true, get: () => element });
  document.dispatchEvent(new Event("fullscreenchange"));
}

export function refuseScreen() {
  Element.prototype.requestFullscreen = () => Promise.reject(new TypeError("not today"));
}
