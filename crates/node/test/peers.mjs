// Two connections in one process, for tests.
import assert from "node:assert/strict";

import { RTCPeerConnection } from "peerconnection";

export const nextEvent = (target, type) =>
  new Promise(resolve => target.addEventListener(type, resolve, { once: true }));

export async function until(condition, target, type) {
  while (!condition()) await nextEvent(target, type);
}

/** Two connections that give each other their candidates; closed when the test ends. */
export function twoPeers(context, configuration) {
  const peers = [new RTCPeerConnection(configuration), new RTCPeerConnection(configuration)];
  const [a, b] = peers;
  a.onicecandidate = ({ candidate }) => give(b, candidate);
  b.onicecandidate = ({ candidate }) => give(a, candidate);
  context.after(() => peers.forEach(pc => pc.close()));
  return peers;
}

/** A candidate may come before there is a description, or after the end. */
function give(pc, candidate) {
  pc.addIceCandidate(candidate).catch(error => assert.equal(error.name, "InvalidStateError"));
}

export async function negotiate(offerer, answerer) {
  await offerer.setLocalDescription();
  await answerer.setRemoteDescription(offerer.localDescription);
  await answerer.setLocalDescription();
  await offerer.setRemoteDescription(answerer.localDescription);
}
