#!/usr/bin/env bash
# GStreamer's webrtcbin 1.22.0 (Debian): sending an empty message, "" or null, closes the data
# channel on both sides. Neither the message nor anything sent behind it arrives. webrtcbin receives
# empty messages well enough, as null, so a program that echoes what it gets loses its channel. By
# RFC 8831 §6.6 an empty message travels as one octet of its own payload protocol.
#
# Seen, of 'before', '', 'behind' between two of its own: before; closed, closed. With null, and as
# data: the same.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
packages=('gstreamer1.0-plugins-bad=1.22.0-*' gir1.2-gst-plugins-bad-1.0 gstreamer1.0-nice python3-gi)
[[ $(dpkg-query -W -f '${Version}' gstreamer1.0-plugins-bad 2>/dev/null) == 1.22.0-* ]] ||
    apt-get install -y -qq "${packages[@]}" >/dev/null

cat > run.py <<'EOF'
import threading
import time

import gi

gi.require_version("Gst", "1.0")
gi.require_version("GstSdp", "1.0")
gi.require_version("GstWebRTC", "1.0")
from gi.repository import GLib, Gst, GstSdp, GstWebRTC

Gst.init(None)
threading.Thread(target=GLib.MainLoop().run, daemon=True).start()

got, channels = {}, []


def peer(name):
    pipeline = Gst.Pipeline.new(name)
    element = Gst.ElementFactory.make("webrtcbin", None)
    element.set_property("bundle-policy", GstWebRTC.WebRTCBundlePolicy.MAX_BUNDLE)
    pipeline.add(element)
    pipeline.set_state(Gst.State.PLAYING)
    return pipeline, element


def ask(element, signal, *arguments):
    promise = Gst.Promise.new()
    element.emit(signal, *arguments, promise)
    promise.wait()
    return promise, promise.get_reply()


def came(channel, message):
    got.setdefault(channel.get_property("label"), []).append(message)


def on_data_channel(_, channel):
    channels.append(channel)
    channel.connect("on-message-string", came)
    channel.connect("on-message-data", lambda channel, data: came(channel, data.get_data().decode()))


kept_a, a = peer("a")
kept_b, b = peer("b")
ready, held = [], []


def candidate(other):
    def add(_, index, line):
        other.emit("add-ice-candidate", index, line) if ready else held.append((other, index, line))

    return add


a.connect("on-ice-candidate", candidate(b))
b.connect("on-ice-candidate", candidate(a))
b.connect("on-data-channel", on_data_channel)
cases = {
    "text": ("send-string", "before", "", "behind"),
    "null": ("send-string", "before", None, "behind"),
    "data": ("send-data", GLib.Bytes.new(b"before"), None, GLib.Bytes.new(b"behind")),
}
ours = {label: a.emit("create-data-channel", label, None) for label in cases}
kept = ask(a, "create-offer", None)
offer = kept[1].get_value("offer")
ask(a, "set-local-description", offer)
ask(b, "set-remote-description", offer)
kept = kept, ask(b, "create-answer", None)
answer = kept[1][1].get_value("answer")
ask(b, "set-local-description", answer)
ask(a, "set-remote-description", answer)
ready.append(True)
for other, index, line in held:
    other.emit("add-ice-candidate", index, line)
end = time.time() + 10
while len(channels) < len(cases) and time.time() < end:
    time.sleep(0.05)
for label, (signal, *messages) in cases.items():
    for message in messages:
        ours[label].emit(signal, message)
        time.sleep(0.2)
time.sleep(2)
for label, channel in ours.items():
    theirs = next(other for other in channels if other.get_property("label") == label)
    states = [end.get_property("ready-state").value_nick for end in (channel, theirs)]
    print(f"{label}: {', '.join(got.get(label, []))}; {', '.join(states)}")
EOF
output=$(/usr/bin/python3 run.py 2>/dev/null)
echo "$output"
expected="text: before; closed, closed
null: before; closed, closed
data: before; closed, closed"
[[ $output == "$expected" ]] || { echo "it behaves otherwise now" >&2; exit 1; }
