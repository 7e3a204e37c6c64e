// What a browser test needs to see and cannot see from outside: the peer
// connections and timers that are still alive, and a peer that answers.

const peers = new Set();
const timers = new Set();

const RealPeer = globalThis.RTCPeerConnection;
globalThis.RTCPeerConnection = class extends RealPeer {
  constructor(...args) {
    super(...args);
    peers.add(this);
  }
};

const realSet = globalThis.setTimeout.bind(globalThis);
const realClear = globalThis.clearTimeout.bind(globalThis);
globalThis.setTimeout = (handler, delay, ...args) => {
  const id = realSet(
    () => {
      timers.delete(id);
      handler(...args);
    },
    delay,
  );
  // Those of the schedulers are due at once; the session's are not.
  if (delay >= 1000) timers.add(id);
  return id;
};
globalThis.clearTimeout = (id) => {
  timers.delete(id);
  realClear(id);
};

const open = () => [...peers].filter((peer) => peer.connectionState !== "closed");

export const openPeers = () => open().length;

// Those of them that took an answer.
export const answeredPeers = () =>
  open().filter((peer) => peer.currentRemoteDescription?.type === "answer").length;

export const runningTimers = () => timers.size;

// Answers a player's offer with the fake camera, as a server would: all
// candidates in the answer. Returns the answer.
export async function answerWithCamera(offer) {
  const camera = await navigator.mediaDevices.getUserMedia({ audio: true, video: true });
  const peer = new RealPeer({ bundlePolicy: "max-bundle" });
  answering.push({ peer, camera });
  await peer.setRemoteDescription({ type: "offer", sdp: offer });
  for (const track of camera.getTracks()) peer.addTrack(track, camera);
  await peer.setLocalDescription();
  await new Promise((done) => {
    const check = () => peer.iceGatheringState === "complete" && done();
    peer.addEventListener("icegatheringstatechange", check);
    check();
  });
  return peer.localDescription.sdp;
}

const answering = [];

export function stopAnswering() {
  for (const { peer, camera } of answering.splice(0)) {
    peer.close();
    for (const track of camera.getTracks()) track.stop();
  }
}

export const isPlaying = (video) =>
  video.videoWidth > 0 && !video.paused && video.currentTime > 0;

export const tracks = (video) => video.srcObject?.getTracks() ?? [];

// Takes the place of `fetch` as a WHEP server that plays the fake camera.
// Requests are kept as `METHOD URL Authorization`.
const requests = [];
const realFetch = globalThis.fetch;

export function serveWhep() {
  globalThis.fetch = async (url, { method, headers, body }) => {
    requests.push(`${method} ${url} ${headers.get("Authorization")}`);
    const played = method === "POST" && (await answerWithCamera(body));
    const response = played
      ? new Response(played, {
          status: 201,
          headers: { "Content-Type": "application/sdp", Location: "/resource/1" },
        })
      : new Response(null, { status: method === "PATCH" ? 204 : 200 });
    Object.defineProperty(response, "url", { value: url });
    return response;
  };
}

export function stopServing() {
  globalThis.fetch = realFetch;
  stopAnswering();
  return requests.splice(0);
}
