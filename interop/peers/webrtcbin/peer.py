"""A peer with GStreamer's webrtcbin, by Debian's packages; runs with Debian's own Python."""

import json
import sys
import threading

import gi

gi.require_version("Gst", "1.0")
gi.require_version("GstSdp", "1.0")
gi.require_version("GstWebRTC", "1.0")
from gi.repository import GLib, Gst, GstSdp, GstWebRTC  # noqa: E402

OFFER = GstWebRTC.WebRTCSDPType.OFFER
ANSWER = GstWebRTC.WebRTCSDPType.ANSWER

AUDIO = "application/x-rtp,media=audio,encoding-name=OPUS,payload=111,clock-rate=48000,encoding-params=(string)2"
VIDEO = "application/x-rtp,media=video,encoding-name=VP8,payload=96,clock-rate=90000"

lock = threading.Lock()


def tell(event):
    with lock:
        sys.stdout.write(json.dumps(event) + "\n")
        sys.stdout.flush()


def nick(value):
    return value.value_nick


class Peer:
    def __init__(self):
        self.channels = {}
        self.pipeline = Gst.Pipeline.new("peer")
        self.bin = Gst.ElementFactory.make("webrtcbin", "webrtcbin")
        self.bin.set_property("bundle-policy", GstWebRTC.WebRTCBundlePolicy.MAX_BUNDLE)
        self.pipeline.add(self.bin)
        self.bin.connect("on-ice-candidate", self.on_ice_candidate)
        self.bin.connect("on-data-channel", self.on_data_channel)
        self.bin.connect("pad-added", self.on_pad_added)
        for name, event in (("connection-state", "state"), ("ice-connection-state", "ice")):
            self.bin.connect(f"notify::{name}", self.on_state, name, event)
        # Nothing flows through a pipeline, not even signalling, before it plays.
        self.pipeline.set_state(Gst.State.PLAYING)

    def on_ice_candidate(self, _, index, candidate):
        init = {"candidate": candidate, "sdpMid": None, "sdpMLineIndex": index} if candidate else None
        tell({"event": "candidate", "candidate": init})

    def on_state(self, element, _, name, event):
        tell({"event": event, "state": nick(element.get_property(name))})

    def on_pad_added(self, _, pad):
        if pad.direction == Gst.PadDirection.SRC:
            tell({"event": "track", "kind": pad.get_current_caps().get_structure(0).get_string("media")})

    def on_data_channel(self, _, channel):
        self.watch(channel)
        label = channel.get_property("label")
        tell({"event": "channel", "label": label})
        tell({"event": "open", "label": label})

    def watch(self, channel):
        label = channel.get_property("label")
        self.channels[label] = channel

        def told(event, text=None):
            tell({"event": event, "label": label, "text": text})

        channel.connect("on-open", lambda _: told("open"))
        channel.connect("on-close", lambda _: told("close"))
        if label.startswith("echo"):
            channel.connect("on-message-string", lambda _, text: channel.emit("send-string", text))
            channel.connect("on-message-data", lambda _, data: channel.emit("send-data", data))
        else:
            channel.connect("on-message-string", lambda _, text: told("message", text))

    def described(self, signal, *arguments):
        reply = self.promised(signal, *arguments)
        name = "offer" if signal == "create-offer" else "answer"
        if reply is None or not reply.has_field(name):
            raise RuntimeError(f"{signal}: {reply.to_string() if reply else 'no reply'}")
        description = reply.get_value(name)
        self.promised("set-local-description", description)
        return {"sdp": description.sdp.as_text()}

    def promised(self, signal, *arguments):
        promise = Gst.Promise.new()
        self.bin.emit(signal, *arguments, promise)
        if promise.wait() != Gst.PromiseResult.REPLIED:
            raise RuntimeError(f"{signal}: the promise is {nick(promise.wait())}")
        reply = promise.get_reply()
        if reply is not None and reply.has_field("error"):
            raise RuntimeError(f"{signal}: {reply.get_value('error').message}")
        return reply

    def remote(self, kind, sdp):
        result, message = GstSdp.SDPMessage.new_from_text(sdp)
        if result != GstSdp.SDPResult.OK:
            raise RuntimeError(f"GstSDP: {result}")
        description = GstWebRTC.WebRTCSessionDescription.new(kind, message)
        self.promised("set-remote-description", description)

    def version(self):
        return {"name": "webrtcbin", "version": ".".join(map(str, Gst.version()[:3]))}

    def channel(self, label):
        channel = self.bin.emit("create-data-channel", label, None)
        if channel is None:
            raise RuntimeError("create-data-channel: no channel")
        self.watch(channel)
        # If SCTP is there already, the channel is open before anybody can listen.
        if channel.get_property("ready-state") == GstWebRTC.WebRTCDataChannelState.OPEN:
            tell({"event": "open", "label": label})

    def media(self):
        for caps in (AUDIO, VIDEO):
            direction = GstWebRTC.WebRTCRTPTransceiverDirection.SENDRECV
            self.bin.emit("add-transceiver", direction, Gst.Caps.from_string(caps))

    def offer(self, restart=False):
        options = Gst.Structure.new_empty("options")
        if restart:
            options.set_value("ice-restart", True)
        return self.described("create-offer", options)

    def answer(self, sdp):
        self.remote(OFFER, sdp)
        return self.described("create-answer", None)

    def accept(self, sdp):
        self.remote(ANSWER, sdp)

    def candidate(self, candidate):
        if candidate is None or not candidate["candidate"]:
            return
        self.bin.emit("add-ice-candidate", candidate["sdpMLineIndex"], candidate["candidate"])

    def send(self, label, text):
        self.channels[label].emit("send-string", text)

    def close(self, label):
        self.channels[label].emit("close")

    def end(self):
        self.pipeline.set_state(Gst.State.NULL)


def main():
    Gst.init(None)
    threading.Thread(target=GLib.MainLoop().run, daemon=True).start()
    peer = Peer()
    for line in sys.stdin:
        command = json.loads(line)
        number, name = command.pop("id"), command.pop("do")
        try:
            tell({"id": number, "ok": getattr(peer, name)(**command)})
        except Exception as error:  # noqa: BLE001 - the driver is told whatever it was
            tell({"id": number, "error": f"{type(error).__name__}: {error}"})


main()
