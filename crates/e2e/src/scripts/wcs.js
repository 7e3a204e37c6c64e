// A Web Call Server client as small as one can be.
class Wcs {
    // Resolves once the session is established; `options` go into `connection`.
    static async connect(url, options) {
        const client = new Wcs(new WebSocket(url));
        await new Promise((opened, failed) => {
            client.socket.onopen = opened;
            client.socket.onerror = () => failed(new Error(`no connection to ${url}`));
        });
        client.send('connection', {
            appKey: 'defaultApp',
            mediaProviders: ['WebRTC'],
            clientVersion: '2.0',
            ...options,
        });
        [client.user] = await client.heard('getUserData', () => true);
        return client;
    }

    constructor(socket) {
        this.socket = socket;
        this.closed = false;
        this.messages = [];
        this.waiting = [];
        socket.onclose = () => { this.closed = true; };
        socket.onmessage = ({ data }) => {
            const { message, data: values } = JSON.parse(data);
            if (message === 'ping') this.send('pong', null);
            this.messages.push({ message, values });
            this.waiting = this.waiting.filter(answered => !answered());
        };
    }

    send(message, value) {
        this.socket.send(JSON.stringify({ message, data: [value] }));
    }

    // The values of the first message of that name that `matches`, told already
    // or to come.
    heard(message, matches) {
        return new Promise(done => {
            const answered = () => {
                const found = this.messages.find(it => it.message === message && matches(it.values));
                if (found) done(found.values);
                return !!found;
            };
            if (!answered()) this.waiting.push(answered);
        });
    }

    heardStatus(id, status) {
        const matches = ([event]) => event.mediaSessionId === id && event.status === status;
        return this.heard('notifyStreamStatusEvent', matches);
    }

    // Publishes and resolves with the stream's id once it is on air.
    async publish(name, stream) {
        const peer = new RTCPeerConnection();
        for (const track of stream.getTracks()) peer.addTrack(track, stream);
        await peer.setLocalDescription();
        const id = crypto.randomUUID();
        this.send('publishStream', {
            mediaSessionId: id,
            name,
            published: true,
            hasVideo: true,
            hasAudio: true,
            status: 'PENDING',
            record: false,
            mediaProvider: 'WebRTC',
            sdp: peer.localDescription.sdp,
        });
        const [, sdp] = await this.heard('setRemoteSDP', ([whose]) => whose === id);
        await peer.setRemoteDescription({ type: 'answer', sdp });
        await this.heardStatus(id, 'PUBLISHING');
        return id;
    }

    // A picture of the stream of that name, as PNG in base64.
    async snapshot(name) {
        const id = crypto.randomUUID();
        this.send('snapshot', { name, mediaSessionId: id });
        const isOurs = ([event]) => event.mediaSessionId === id;
        const [{ type, payload }] = await this.heard('notifyStreamEvent', isOurs);
        if (type !== 'snapshotCompleted') throw new Error(`${type}: ${payload.info}`);
        return payload.snapshot;
    }
}
