// Prints, as JSON, how many of the objects that nobody holds any more have been collected.
import { RTCPeerConnection } from "peerconnection";

import { collect, connect } from "./peers.mjs";

const COUNT = 100;
const collected = new Set();
const registry = new FinalizationRegistry(name => collected.add(name));

function abandon(index) {
  const pc = new RTCPeerConnection();
  pc.onnegotiationneeded = () => pc.setLocalDescription();
  pc.addTransceiver("audio");
  pc.createDataChannel("channel");
  registry.register(pc, `connection ${index}`);
}

async function abandonClosed() {
  const { a, b, channel } = await connect();
  registry.register(a, "offerer");
  registry.register(b, "answerer");
  registry.register(channel, "channel");
  a.close();
  b.close();
}

for (let index = 0; index < COUNT; index += 1) abandon(index);
await abandonClosed();
await collect(() => collected.size === COUNT + 3);
console.log(JSON.stringify({ registered: COUNT + 3, collected: collected.size }));
