// Runs before the page: notes when that happens which the bench measures, in
// milliseconds on the page's own clock, which begins with the navigation.
(() => {
    const bench = { steps: {}, wasmMemory: null };
    window.bench = bench;

    const note = (step, at = performance.now()) => bench.steps[step] ??= at;

    // The page hands out its exports once it runs.
    addEventListener('TrunkApplicationStarted', event => {
        bench.wasmMemory = event.detail.wasm.memory;
    });

    // Comes true once a person can begin: "Connect" can be pressed.
    bench.usable = new Promise(resolve => {
        const observer = new MutationObserver(() => {
            const connect = document.getElementById('connectBtn');
            if (!connect || connect.disabled) return;
            observer.disconnect();
            resolve(performance.now());
        });
        observer.observe(document, { attributes: true, childList: true, subtree: true });
    });

    const loaded = () => {
        const kinds = ['navigation', 'resource'];
        return kinds.flatMap(kind => performance.getEntriesByType(kind));
    };

    // Whether the server has compressed all files as well as it can: until then
    // it sends them by gzip.
    bench.compressed = async () => {
        const coding = async ({ name }) => {
            const response = await fetch(name, { method: 'HEAD', cache: 'no-store' });
            return response.headers.get('content-encoding');
        };
        const codings = await Promise.all(loaded().map(coding));
        return !codings.includes('gzip');
    };

    // Every file that the page has loaded: its path, its bytes as they came and
    // whether they came from the server. A browser without a window leaves out
    // the icon.
    bench.files = async () => {
        await fetch(document.querySelector('link[rel=icon]').href);
        return loaded().map(entry => ({
            path: new URL(entry.name).pathname,
            bytes: entry.encodedBodySize,
            fresh: entry.transferSize > 0,
        }));
    };

    // Comes true with the steps to the first picture, once it is on the screen.
    bench.joined = new Promise(resolve => {
        const onPress = event => {
            if (!event.target.closest('#playBtn')) return;
            bench.steps = { pressed: event.timeStamp };
            document.querySelector('#remoteVideo video').requestVideoFrameCallback((_, frame) => {
                note('keyframe', frame.receiveTime);
                note('painted', frame.expectedDisplayTime);
                resolve(bench.steps);
            });
        };
        addEventListener('click', onPress, { capture: true });
    });

    window.RTCPeerConnection = class extends RTCPeerConnection {
        constructor(...options) {
            super(...options);
            this.addEventListener('iceconnectionstatechange', () => {
                if (this.iceConnectionState === 'connected') note('ice');
            });
            this.addEventListener('connectionstatechange', () => {
                if (this.connectionState === 'connected') note('dtls');
            });
            this.addEventListener('track', ({ track }) => {
                // Muted until its first packet (WebRTC, section 5.4).
                if (track.kind === 'video') track.addEventListener('unmute', () => note('packet'));
            });
        }

        async setLocalDescription(description) {
            await super.setLocalDescription(description);
            note('offered');
        }

        setRemoteDescription(description) {
            note('answered');
            return super.setRemoteDescription(description);
        }
    };
})();
