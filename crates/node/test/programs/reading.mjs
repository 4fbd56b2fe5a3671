// Reads from a device and from a connection that closes, and ends while it waits for more.
import { mediaDevices, readPackets } from "peerconnection";

import { connect } from "./peers.mjs";

const stream = await mediaDevices.getUserMedia({ audio: true, video: true });
const kinds = new Set();

async function read(track) {
  for await (const { mimeType } of readPackets(track)) kinds.add(mimeType.split("/")[0]);
}

const { a, b } = await connect();
b.ontrack = ({ track }) => read(track);
for (const track of stream.getTracks()) {
  a.addTrack(track, stream);
  read(track);
}
await a.setLocalDescription();
await b.setRemoteDescription(a.localDescription);
await b.setLocalDescription();
await a.setRemoteDescription(b.localDescription);

while (kinds.size < 2) await new Promise(resolve => setTimeout(resolve, 10));
a.close();
b.close();
console.log([...kinds].sort().join(" and "));
