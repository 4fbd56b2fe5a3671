#!/usr/bin/env bash
# werift 0.24.4: an empty message ends a data channel without a word. send('') succeeds, and neither
# the message nor anything sent behind it ever arrives; readyState stays "open", bufferedAmount is
# 0. By RFC 8831 §6.6 an empty message travels as one octet of its own payload protocol.
#
# Seen, of 'before', '', 'behind' between two of its own: before.
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
  const got = [];
  b.ondatachannel = ({ channel }) => {
    channel.onmessage = ({ data }) => got.push(String(data));
  };
  const channel = a.createDataChannel('channel');
  await a.setLocalDescription(await a.createOffer());
  await b.setRemoteDescription(a.localDescription);
  await b.setLocalDescription(await b.createAnswer());
  await a.setRemoteDescription(b.localDescription);
  await new Promise((resolve) => { channel.onopen = resolve; });
  await pause(500);
  for (const message of ['before', '', 'behind']) {
    channel.send(message);
    await pause(200);
  }
  await pause(5_000);
  console.log(`${got.join(', ')}; ${channel.readyState}, ${channel.bufferedAmount} buffered`);
  process.exit(0);
})();
EOF
output=$(node run.cjs)
echo "$output"
[[ $output == "before; open, 0 buffered" ]] || { echo "it behaves otherwise now" >&2; exit 1; }
