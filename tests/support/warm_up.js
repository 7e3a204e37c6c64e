// What a test of the warm-up needs: how often peer connections and audio
// contexts were made, and a page at rest.

let peers = 0;
const Peer = globalThis.RTCPeerConnection;
globalThis.RTCPeerConnection = class extends Peer {
  constructor(...args) {
    super(...args);
    peers += 1;
  }
};

const contexts = [];
const Context = globalThis.AudioContext;
globalThis.AudioContext = class extends Context {
  constructor(...args) {
    super(...args);
    contexts.push(this);
  }
};

export function forget() {
  peers = 0;
  contexts.length = 0;
}

export const peersMade = () => peers;
export const contextsMade = () => contexts.length;
export const contextsClosed = () => contexts.filter(({ state }) => state === "closed").length;

// Those that ask earlier get their turn earlier.
export const rest = () => new Promise((resolve) => requestIdleCallback(resolve));
