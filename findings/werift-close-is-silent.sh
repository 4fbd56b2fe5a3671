#!/usr/bin/env bash
# werift 0.24.4: close() tells the peer nothing: no SCTP ABORT, no close_notify of DTLS. Between two
# peers of werift, the other side is `connected` with an open channel 15 s later. And
# iceConnectionState is `completed` as soon as an offer has been applied, before there is any peer.
#
# Seen: offered: completed. 15 s after close(): connected, channel open, 0 events.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
npm install --silent --ignore-scripts --no-audit --no-fund werift@0.24.4

cat > run.cjs <<'EOF'
const { RTCPeerConnection } = require('werift');

const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

(async () => {
  const [a, b] = [0, 0].map(() => new RTCPeerConnection({ iceServers: [] }));
  let theirs;
  b.ondatachannel = ({ channel }) => { theirs = channel; };
  const channel = a.createDataChannel('channel');
  await a.setLocalDescription(await a.createOffer());
  console.log(`offered: ${a.iceConnectionState}`);
  await b.setRemoteDescription(a.localDescription);
  await b.setLocalDescription(await b.createAnswer());
  await a.setRemoteDescription(b.localDescription);
  await new Promise((resolve) => { channel.onopen = resolve; });
  await pause(500);

  let events = 0;
  for (const event of ['onclose', 'onclosing', 'onerror']) theirs[event] = () => { events += 1; };
  b.onconnectionstatechange = () => { events += 1; };
  b.oniceconnectionstatechange = () => { events += 1; };
  await a.close();
  await pause(15_000);
  console.log(`15 s after close(): ${b.connectionState}, channel ${theirs.readyState}, ${events} events`);
  process.exit(0);
})();
EOF
output=$(node run.cjs)
echo "$output"
expected="offered: completed
15 s after close(): connected, channel open, 0 events"
[[ $output == "$expected" ]] || { echo "it behaves otherwise now" >&2; exit 1; }
