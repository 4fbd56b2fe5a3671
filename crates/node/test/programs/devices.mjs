// Prints, as JSON, how many objects are collected of those that nobody holds any more: tracks of
// devices, their clones, and readers of both.
import { readPackets } from "peerconnection";
import { createTrack } from "peerconnection/testing";

import { collect } from "./peers.mjs";

const COUNT = 100;
const collected = new Set();
const registry = new FinalizationRegistry(name => collected.add(name));

async function abandon(index) {
  const track = createTrack(index % 2 === 0 ? "audio" : "video");
  const clone = track.clone();
  const packets = [readPackets(track), readPackets(clone)];
  registry.register(track, `track ${index}`);
  registry.register(clone, `clone ${index}`);
  for (const [of, one] of packets.entries()) registry.register(one, `reader ${of} ${index}`);
  await Promise.all(packets.map(one => one.next()));
}

const timer = setInterval(() => {}, 1000);
for (let index = 0; index < COUNT; index += 1) await abandon(index);
await collect(() => collected.size === 4 * COUNT);
clearInterval(timer);
console.log(JSON.stringify({ registered: 4 * COUNT, collected: collected.size }));
