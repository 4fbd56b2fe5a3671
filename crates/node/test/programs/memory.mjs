// Creates and closes connections, all with sockets, and prints, as JSON, what the process holds
// after the first rounds and at the end.
import fs from "node:fs";

import { RTCPeerConnection } from "peerconnection";

import { collect } from "./peers.mjs";

const AT_ONCE = 50;
const WARM_UP = 2000;
const COUNT = 1000;

async function round() {
  const connections = Array.from({ length: AT_ONCE }, () => new RTCPeerConnection());
  const offered = connections.map(async pc => {
    pc.createDataChannel("channel");
    const gathering = new Promise(resolve => (pc.onicecandidate = resolve));
    await pc.setLocalDescription();
    await gathering;
  });
  await Promise.all(offered);
  for (const pc of connections) pc.close();
}

async function held() {
  await collect(() => false, 10);
  return {
    resident: process.memoryUsage().rss,
    heap: process.memoryUsage().heapUsed,
    descriptors: fs.readdirSync("/proc/self/fd").length,
    threads: fs.readdirSync("/proc/self/task").length,
  };
}

for (let count = 0; count < WARM_UP; count += AT_ONCE) await round();
const before = await held();
for (let count = 0; count < COUNT; count += AT_ONCE) await round();
console.log(JSON.stringify({ count: COUNT, before, after: await held() }));
