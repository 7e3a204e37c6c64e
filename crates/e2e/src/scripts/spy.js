// Runs before the page: keeps its peer connections and what it says on its
// sockets, and reads the browser's own statistics.
(() => {
    const spy = { peers: [], sent: [], texts: [] };
    window.spy = spy;

    window.RTCPeerConnection = class extends RTCPeerConnection {
        constructor(...options) {
            super(...options);
            spy.peers.push(this);
        }
    };

    const send = WebSocket.prototype.send;
    WebSocket.prototype.send = function (text) {
        spy.sent.push(JSON.parse(text).message);
        send.call(this, text);
    };

    // Each text that the element of this id has from now on, the present one first.
    spy.noteTexts = id => {
        const element = document.getElementById(id);
        const note = () => {
            const text = element.textContent.trim();
            if (spy.texts.at(-1) !== text) spy.texts.push(text);
        };
        new MutationObserver(note).observe(element, {
            characterData: true,
            childList: true,
            subtree: true,
        });
        note();
    };

    // The newest connection whose video goes the way that `type` names:
    // 'inbound-rtp' or 'outbound-rtp'.
    const newest = async (type) => {
        for (const peer of spy.peers.toReversed()) {
            const entries = [...(await peer.getStats()).values()];
            const video = entries.filter(it => it.type === type && it.kind === 'video');
            if (video.length && peer.connectionState !== 'closed') return { entries, video };
        }
        return null;
    };

    const linked = (entries, id) => entries.find(it => it.id === id);

    // What the viewer's browser says of its video.
    spy.playback = async () => {
        const found = await newest('inbound-rtp');
        if (!found) return null;
        const [video] = found.video;
        const codec = linked(found.entries, video.codecId)?.mimeType;
        return { ...video, codec: codec ?? '' };
    };

    // The way that media goes; `null` until there is one.
    spy.route = async (type) => {
        const found = await newest(type);
        if (!found) return null;
        const transport = found.entries.find(it => it.type === 'transport');
        const pair = linked(found.entries, transport?.selectedCandidatePairId);
        const local = linked(found.entries, pair?.localCandidateId);
        const remote = linked(found.entries, pair?.remoteCandidateId);
        if (!local || !remote) return null;
        return { protocol: local.protocol, remote: remote.address };
    };
})();
