"""An independent WHIP publisher and WHEP player: aiortc.

    aiortc_client.py publish <endpoint>   sends a moving picture and a tone
    aiortc_client.py play <endpoint>      receives, and counts what it decodes

Both print one line for each thing that happened, and end with their standard
input, with a DELETE.
"""

import asyncio
import fractions
import sys
import urllib.error
import urllib.parse
import urllib.request

import av
from aiortc import (
    RTCPeerConnection,
    RTCSessionDescription,
    AudioStreamTrack,
    VideoStreamTrack,
)
from aiortc.mediastreams import MediaStreamError

WIDTH, HEIGHT = 320, 240
SAMPLES_PER_SECOND = 48_000
SAMPLES = SAMPLES_PER_SECOND // 50
# Between two tries at a stream that is not ready.
PAUSE_SECONDS = 0.2


class MovingPicture(VideoStreamTrack):
    """A bright bar that moves over a dark picture."""

    async def recv(self):
        time, time_base = await self.next_timestamp()
        frame = av.VideoFrame(WIDTH, HEIGHT, "yuv420p")
        luma, *chroma = frame.planes
        at = (time // 3_000 * 4) % (WIDTH - 32)
        row = bytearray(b"\x30" * luma.line_size)
        row[at : at + 32] = b"\xe0" * 32
        luma.update(bytes(row) * HEIGHT)
        for plane in chroma:
            plane.update(b"\x80" * plane.buffer_size)
        frame.pts, frame.time_base = time, time_base
        return frame


class Tone(AudioStreamTrack):
    """A square wave of 400 Hz, in real time."""

    def __init__(self):
        super().__init__()
        self.sent = 0
        self.start = None

    async def recv(self):
        loop = asyncio.get_running_loop()
        self.start = self.start or loop.time()
        due = self.start + self.sent / SAMPLES_PER_SECOND
        await asyncio.sleep(max(0, due - loop.time()))
        frame = av.AudioFrame(format="s16", layout="mono", samples=SAMPLES)
        wave = (b"\x00\x20" * 60 + b"\x00\xe0" * 60) * (SAMPLES // 120)
        frame.planes[0].update(wave)
        frame.sample_rate = SAMPLES_PER_SECOND
        frame.pts = self.sent
        frame.time_base = fractions.Fraction(1, SAMPLES_PER_SECOND)
        self.sent += SAMPLES
        return frame


def say(line):
    print(line, flush=True)


def request(method, url, body=None):
    """A request; its Location and body."""
    headers = {"Content-Type": "application/sdp", "Authorization": "Bearer test"}
    data = body and body.encode()
    asked = urllib.request.Request(url, data, headers, method=method)
    with urllib.request.urlopen(asked) as answer:
        location = answer.headers.get("Location", "")
        return urllib.parse.urljoin(url, location), answer.read().decode()


async def offer_to(url, connection):
    """Offers until the stream is there; the resource."""
    await connection.setLocalDescription(await connection.createOffer())
    while True:
        try:
            offer = connection.localDescription.sdp
            resource, answer = await asyncio.to_thread(request, "POST", url, offer)
            break
        except urllib.error.HTTPError as error:
            if error.code not in (404, 409):
                raise SystemExit(f"{error.code}: {error.read().decode()}") from error
            await asyncio.sleep(PAUSE_SECONDS)
    description = RTCSessionDescription(sdp=answer, type="answer")
    await connection.setRemoteDescription(description)
    return resource


async def count(track):
    """Says how many frames of a track were decoded, and how they differ."""
    frames, seen = 0, set()
    while True:
        try:
            frame = await track.recv()
        except MediaStreamError:
            return say(f"{track.kind} ended")
        frames += 1
        seen.add(hash(bytes(frame.planes[0])))
        say(f"{track.kind} frames {frames} different {len(seen)}")


async def main(what, url):
    connection = RTCPeerConnection()
    counting = []

    @connection.on("connectionstatechange")
    def changed():
        say(f"connection {connection.connectionState}")

    @connection.on("track")
    def received(track):
        counting.append(asyncio.ensure_future(count(track)))

    if what == "publish":
        connection.addTrack(Tone())
        connection.addTrack(MovingPicture())
    else:
        connection.addTransceiver("audio", direction="recvonly")
        connection.addTransceiver("video", direction="recvonly")
    resource = await offer_to(url, connection)
    say(f"resource {resource}")
    await asyncio.to_thread(sys.stdin.read)
    await asyncio.to_thread(request, "DELETE", resource)
    await connection.close()
    say("deleted")


asyncio.run(main(*sys.argv[1:]))
