// What a test of the picture before its sound needs: the tracks that an element
// has when its first frame is presented, streams that lack something, and a
// clock whose seconds never end.

const kinds = (video) =>
  (video.srcObject?.getTracks() ?? []).map((track) => track.kind).sort().join("+");

// What the element had at its first frame; empty before.
let atFirstFrame = "";
export function watchFirstFrame(video) {
  atFirstFrame = "";
  video.requestVideoFrameCallback(() => {
    atFirstFrame = kinds(video);
  });
}
export const hadAtFirstFrame = () => atFirstFrame;
export const has = kinds;

// Answers a player's offer with these kinds of `sent` of the fake camera and
// microphone, all of them announced, of which those in `silent` never come.
export async function answerWith(offer, sent, silent) {
  const devices = await navigator.mediaDevices.getUserMedia({ audio: true, video: true });
  const peer = new RTCPeerConnection({ bundlePolicy: "max-bundle" });
  answering.push({ peer, devices });
  await peer.setRemoteDescription({ type: "offer", sdp: offer });
  for (const transceiver of peer.getTransceivers()) {
    const { kind } = transceiver.receiver.track;
    if (!sent.includes(kind)) continue;
    transceiver.direction = "sendonly";
    if (!silent.includes(kind)) await send(transceiver, devices);
  }
  await peer.setLocalDescription();
  await new Promise((done) => {
    const check = () => peer.iceGatheringState === "complete" && done();
    peer.addEventListener("icegatheringstatechange", check);
    check();
  });
  return peer.localDescription.sdp;
}

const answering = [];

const send = ({ sender, receiver }, devices) =>
  sender.replaceTrack(devices.getTracks().find(({ kind }) => kind === receiver.track.kind));

// What was silent comes.
export function sendAll() {
  for (const { peer, devices } of answering) {
    for (const transceiver of peer.getTransceivers()) void send(transceiver, devices);
  }
}

// Nothing that waits for a second ever happens.
const { setTimeout } = globalThis;
export function stopSeconds() {
  globalThis.setTimeout = (handler, delay, ...args) =>
    setTimeout(delay === 1000 ? () => {} : handler, delay, ...args);
}

// A browser that does not tell of frames.
const frames = HTMLVideoElement.prototype.requestVideoFrameCallback;
export function tellNoFrames() {
  delete HTMLVideoElement.prototype.requestVideoFrameCallback;
}

// A page that is not looked at, which paints nothing.
export function paintNothing() {
  HTMLVideoElement.prototype.requestVideoFrameCallback = () => 0;
}

// Everything as the browser has it.
export function reset() {
  globalThis.setTimeout = setTimeout;
  HTMLVideoElement.prototype.requestVideoFrameCallback = frames;
  for (const { peer, devices } of answering.splice(0)) {
    peer.close();
    for (const track of devices.getTracks()) track.stop();
  }
}
