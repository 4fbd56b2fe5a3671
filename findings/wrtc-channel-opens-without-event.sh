#!/usr/bin/env bash
# @roamhq/wrtc 0.10.0: `open` never fires on a data channel that is made on a connection which has
# SCTP already. createDataChannel() returns it with readyState "open". By webrtc-pc §6 it returns
# "connecting", and a task announces the channel as open, with the event. Code that does its work in
# onopen waits for ever. The first channel of a connection is as it should be.
#
# Seen: first: connecting, open fired. later: 100 of 100 open when returned, 0 events in two
# seconds.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
npm install --silent --ignore-scripts --no-audit --no-fund @roamhq/wrtc@0.10.0

cat > run.cjs <<'EOF'
const { RTCPeerConnection } = require('@roamhq/wrtc');

const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

(async () => {
  const [a, b] = [new RTCPeerConnection(), new RTCPeerConnection()];
  for (const [from, to] of [[a, b], [b, a]]) {
    from.onicecandidate = ({ candidate }) => candidate && to.addIceCandidate(candidate);
  }
  const first = a.createDataChannel('first');
  const before = first.readyState;
  const opened = new Promise((resolve) => { first.onopen = () => resolve('open fired'); });
  await a.setLocalDescription(await a.createOffer());
  await b.setRemoteDescription(a.localDescription);
  await b.setLocalDescription(await b.createAnswer());
  await a.setRemoteDescription(b.localDescription);
  console.log(`first: ${before}, ${await Promise.race([opened, pause(10_000)])}`);

  let returned = 0;
  let events = 0;
  for (let n = 0; n < 100; n += 1) {
    const channel = a.createDataChannel(`later ${n}`);
    channel.onopen = () => { events += 1; };
    if (channel.readyState === 'open') returned += 1;
  }
  await pause(2_000);
  console.log(`later: ${returned} of 100 open when returned, ${events} events`);
  process.exit(0);
})();
EOF
output=$(node run.cjs)
echo "$output"
expected="first: connecting, open fired
later: 100 of 100 open when returned, 0 events"
[[ $output == "$expected" ]] || { echo "it behaves otherwise now" >&2; exit 1; }
