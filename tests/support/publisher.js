// What a test of the publisher needs: devices that refuse, vanish and come
// back, screens without a question, and counts of what is on.

const media = navigator.mediaDevices;
const real = {
  getUserMedia: media.getUserMedia.bind(media),
  getDisplayMedia: media.getDisplayMedia.bind(media),
  enumerateDevices: media.enumerateDevices.bind(media),
};
const captured = new Set();
let asked = [];

const keep = (stream) => {
  for (const track of stream.getTracks()) captured.add(track);
  return stream;
};

// Answers every getUserMedia with what `answer` makes of it; undefined leaves
// it to the browser.
const answerMedia = (answer) => {
  media.getUserMedia = async (constraints) => {
    asked.push(constraints);
    return (await answer(constraints)) ?? keep(await real.getUserMedia(constraints));
  };
};

const thrown = (name) =>
  name === "TypeError" ? new TypeError("made up") : new DOMException("made up", name);

// Back to what the browser has, with nothing counted.
export function reset() {
  asked = [];
  captured.clear();
  permission = "granted";
  answerMedia(() => undefined);
  media.getDisplayMedia = real.getDisplayMedia;
  media.enumerateDevices = real.enumerateDevices;
}

// Rejects every getUserMedia that wants all of `kinds`, such as ["audio"].
export const refuse = (name, kinds) =>
  answerMedia((constraints) => {
    if (kinds.every((kind) => constraints[kind])) throw thrown(name);
  });

// Rejects every getUserMedia that wants exactly one device.
export const refuseChoice = (name) =>
  answerMedia(({ audio, video }) => {
    if (audio?.deviceId || video?.deviceId) throw thrown(name);
  });

// The user does not answer the browser's question.
export const neverAnswer = () => answerMedia(() => new Promise(() => {}));

// A screen is a canvas; the name of an exception refuses it.
export function screens(name) {
  media.getDisplayMedia = async () => {
    if (name) throw thrown(name);
    const canvas = document.createElement("canvas");
    canvas.getContext("2d").fillRect(0, 0, 10, 10);
    return keep(canvas.captureStream(5));
  };
}

// The device behind a track goes away: the browser ends the track.
export function end(track) {
  track.stop();
  track.dispatchEvent(new Event("ended"));
}

export function unplug(id) {
  media.enumerateDevices = async () =>
    (await real.enumerateDevices()).filter((device) => device.deviceId !== id);
  media.dispatchEvent(new Event("devicechange"));
}

export function plugIn() {
  media.enumerateDevices = real.enumerateDevices;
  media.dispatchEvent(new Event("devicechange"));
}

export const timesAsked = () => asked.length;
export const liveTracks = () =>
  [...captured].filter((track) => track.readyState === "live").length;
export const deviceOf = (track) => track.getSettings().deviceId;
export const heightOf = (track) => track.getSettings().height;

let offers = 0;
const peers = new Set();
const Peer = globalThis.RTCPeerConnection;
globalThis.RTCPeerConnection = class extends Peer {
  constructor(...args) {
    super(...args);
    peers.add(this);
  }
  createOffer(...args) {
    offers += 1;
    return super.createOffer(...args);
  }
};
export const offersMade = () => offers;

const sender = (kind) =>
  [...peers]
    .filter((peer) => peer.connectionState !== "closed")
    .flatMap((peer) => peer.getTransceivers())
    .find((transceiver) => transceiver.receiver.track.kind === kind)?.sender;
export const sent = (kind) => sender(kind)?.track ?? undefined;
export const sentAtMost = () => sender("video").getParameters().encodings[0].maxBitrate ?? 0;

const contexts = new Set();
const Context = globalThis.AudioContext;
globalThis.AudioContext = class extends Context {
  constructor(...args) {
    super(...args);
    contexts.add(this);
  }
};
export const openAudio = () =>
  [...contexts].filter((context) => context.state !== "closed").length;

// What the Permissions API says; a change is told to whoever asked.
const statuses = new Set();
let permission = "granted";
const query = navigator.permissions.query.bind(navigator.permissions);
navigator.permissions.query = async (descriptor) => {
  const status = await query(descriptor);
  Object.defineProperty(status, "state", { get: () => permission });
  statuses.add(status);
  return status;
};
export function permit(state) {
  permission = state;
  for (const status of statuses) status.dispatchEvent(new Event("change"));
}
