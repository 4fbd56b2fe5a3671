"""A peer with aiortc. It gathers before it describes, and never trickles."""

import asyncio
import json
import sys

import aiortc
from aiortc.sdp import candidate_from_sdp


def tell(event):
    sys.stdout.write(json.dumps(event) + "\n")
    sys.stdout.flush()


class Peer:
    def __init__(self):
        self.channels = {}
        # By default aiortc asks a public STUN server.
        configuration = aiortc.RTCConfiguration(
            iceServers=[], bundlePolicy=aiortc.RTCBundlePolicy.MAX_BUNDLE
        )
        self.pc = pc = aiortc.RTCPeerConnection(configuration)

        @pc.on("connectionstatechange")
        def _():
            tell({"event": "state", "state": pc.connectionState})

        @pc.on("iceconnectionstatechange")
        def _():
            tell({"event": "ice", "state": pc.iceConnectionState})

        @pc.on("datachannel")
        def _(channel):
            self.watch(channel)
            tell({"event": "channel", "label": channel.label})
            tell({"event": "open", "label": channel.label})

        @pc.on("track")
        def _(track):
            tell({"event": "track", "kind": track.kind})

    def watch(self, channel):
        label = channel.label
        self.channels[label] = channel

        @channel.on("open")
        def _():
            tell({"event": "open", "label": label})

        @channel.on("close")
        def _():
            tell({"event": "close", "label": label})

        @channel.on("message")
        def _(message):
            if label.startswith("echo"):
                channel.send(message)
            else:
                tell({"event": "message", "label": label, "text": message})

    async def version(self):
        return {"name": "aiortc", "version": aiortc.__version__}

    async def channel(self, label):
        self.watch(self.pc.createDataChannel(label))

    async def media(self):
        for kind in ("audio", "video"):
            self.pc.addTransceiver(kind, direction="sendrecv")

    async def offer(self, restart=False):
        if restart:
            raise NotImplementedError("there is no ICE restart")
        await self.pc.setLocalDescription(await self.pc.createOffer())
        return {"sdp": self.pc.localDescription.sdp}

    async def answer(self, sdp):
        await self.pc.setRemoteDescription(aiortc.RTCSessionDescription(sdp, "offer"))
        await self.pc.setLocalDescription(await self.pc.createAnswer())
        return {"sdp": self.pc.localDescription.sdp}

    async def accept(self, sdp):
        await self.pc.setRemoteDescription(aiortc.RTCSessionDescription(sdp, "answer"))

    async def candidate(self, candidate):
        if candidate is None or not candidate["candidate"]:
            await self.pc.addIceCandidate(None)
            return
        parsed = candidate_from_sdp(candidate["candidate"].removeprefix("candidate:"))
        parsed.sdpMid = candidate["sdpMid"]
        parsed.sdpMLineIndex = candidate["sdpMLineIndex"]
        await self.pc.addIceCandidate(parsed)

    async def send(self, label, text):
        self.channels[label].send(text)

    async def close(self, label):
        self.channels[label].close()

    async def end(self):
        await self.pc.close()


async def main():
    peer = Peer()
    reader = asyncio.StreamReader(limit=1 << 24)
    loop = asyncio.get_running_loop()
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    while line := await reader.readline():
        command = json.loads(line)
        number, name = command.pop("id"), command.pop("do")
        try:
            tell({"id": number, "ok": await getattr(peer, name)(**command)})
        except Exception as error:  # noqa: BLE001 - the driver is told whatever it was
            tell({"id": number, "error": f"{type(error).__name__}: {error}"})


asyncio.run(main())
