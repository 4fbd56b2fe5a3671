#!/usr/bin/env bash
# GStreamer's webrtcbin 1.22.0 (Debian): RFC 9143 §7.1.3 puts the transport's attributes of a BUNDLE
# group into the tagged section only, and RFC 9429 §5.2.2 forbids ICE credentials in the other
# sections. webrtcbin refuses such an offer ("media 1 has different ice-ufrag values in bundle"),
# even if the session part has the credentials as well. It also refuses an offer without a=setup in
# every section, rejected sections (port 0) included.
#
# Seen: as browsers write it: accepted; without credentials in the second section: refused; without
# a=setup in it: refused; the second section rejected, and without a=setup: refused.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
packages=('gstreamer1.0-plugins-bad=1.22.0-*' gir1.2-gst-plugins-bad-1.0 gstreamer1.0-nice python3-gi)
[[ $(dpkg-query -W -f '${Version}' gstreamer1.0-plugins-bad 2>/dev/null) == 1.22.0-* ]] ||
    apt-get install -y -qq "${packages[@]}" >/dev/null

cat > run.py <<'EOF'
import gi

gi.require_version("Gst", "1.0")
gi.require_version("GstSdp", "1.0")
gi.require_version("GstWebRTC", "1.0")
from gi.repository import Gst, GstSdp, GstWebRTC

Gst.init(None)

CREDENTIALS = "a=ice-ufrag:dEF7\r\na=ice-pwd:LbZ6rUIVJfTxgGGG4bjpEXAM\r\n"
SETUP = "a=setup:actpass\r\n"
SESSION = (
    "v=0\r\no=- 1 1 IN IP4 0.0.0.0\r\ns=-\r\nt=0 0\r\na=group:BUNDLE{}\r\n"
    "a=fingerprint:sha-256 " + ":".join(["AB"] * 32) + "\r\n" + CREDENTIALS + SETUP
)


def section(mid, attributes, port=9):
    return (
        f"m=audio {port} UDP/TLS/RTP/SAVPF 111\r\nc=IN IP4 0.0.0.0\r\na=mid:{mid}\r\n{attributes}"
        "a=sendrecv\r\na=rtcp-mux\r\na=rtpmap:111 opus/48000/2\r\n"
    )


def offered(second, bundle=" 0 1"):
    pipeline = Gst.Pipeline.new(None)
    element = Gst.ElementFactory.make("webrtcbin", None)
    pipeline.add(element)
    pipeline.set_state(Gst.State.PLAYING)
    sdp = SESSION.format(bundle) + section(0, CREDENTIALS + SETUP) + second
    message = GstSdp.SDPMessage.new_from_text(sdp)[1]
    offer = GstWebRTC.WebRTCSessionDescription.new(GstWebRTC.WebRTCSDPType.OFFER, message)
    promise = Gst.Promise.new()
    element.emit("set-remote-description", offer, promise)
    promise.wait()
    reply = promise.get_reply()
    refused = reply is not None and reply.has_field("error")
    text = reply.get_value("error").message.split(".")[0] if refused else "accepted"
    pipeline.set_state(Gst.State.NULL)
    return text


print(offered(section(1, CREDENTIALS + SETUP)))
print(offered(section(1, SETUP)))
print(offered(section(1, CREDENTIALS)))
print(offered(section(1, CREDENTIALS, port=0), bundle=" 0"))
EOF
output=$(/usr/bin/python3 run.py 2>/dev/null)
echo "$output"
expected="accepted
media 1 has different ice-ufrag values in bundle
media 1 is missing or contains an empty 'setup' attribute
media 1 is missing or contains an empty 'setup' attribute"
[[ $output == "$expected" ]] || { echo "it behaves otherwise now" >&2; exit 1; }
