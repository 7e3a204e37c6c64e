// A play of which nothing is known but the time frames spend in the buffer,
// for as long as the test says; a page that is hidden when it says so; and
// seconds that pass quickly.

export class FakedBuffer {
  constructor() {
    this.ms = 50;
    this.count = 0;
    this.delay = 0;
    const peer = RTCPeerConnection.prototype;
    const video = HTMLVideoElement.prototype;
    const receiver = RTCRtpReceiver.prototype;
    const { setTimeout } = globalThis;
    const soon = (handler, delay, ...args) =>
      setTimeout(handler, delay === 1000 ? 50 : delay, ...args);
    const fakes = [
      [peer, "getStats", { value: () => Promise.resolve(this.sample()) }],
      [globalThis, "setTimeout", { value: soon, writable: true }],
      [document, "hidden", { get: () => this.hidden }],
      [receiver, "jitterBufferTarget", { set: (ms) => (this.wanted = ms) }],
    ];
    this.undo = fakes.map(([owner, name, fake]) => replace(owner, name, fake));
    const callback = Object.getOwnPropertyDescriptor(video, "requestVideoFrameCallback");
    delete video.requestVideoFrameCallback;
    this.undo.push(() => Object.defineProperty(video, "requestVideoFrameCallback", callback));
    this.hidden = false;
    this.wanted = null;
  }

  sample() {
    this.count += 1;
    this.delay += (this.ms / 1000) * 30;
    const video = {
      type: "inbound-rtp",
      kind: "video",
      timestamp: this.count * 1000,
      jitterBufferDelay: this.delay,
      jitterBufferEmittedCount: this.count * 30,
    };
    return new Map([["V", video]]);
  }

  set(ms, hidden) {
    this.ms = ms;
    this.hidden = hidden;
  }

  samples() {
    return this.count;
  }

  target() {
    return this.wanted ?? undefined;
  }

  end() {
    for (const undo of this.undo) undo();
  }
}

function replace(owner, name, fake) {
  const old = Object.getOwnPropertyDescriptor(owner, name);
  Object.defineProperty(owner, name, { ...fake, configurable: true });
  return () => {
    if (old) Object.defineProperty(owner, name, old);
    else delete owner[name];
  };
}
