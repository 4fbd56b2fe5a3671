// Dumps: what connections did, as chrome://webrtc-internals writes it.
import assert from "node:assert/strict";
import { test } from "node:test";

import { RTCPeerConnection, dump, recordDumps } from "peerconnection";

import { negotiate, nextEvent, twoPeers } from "./peers.mjs";

test("a dump has what two connections did", async context => {
  recordDumps({ statisticsInterval: 100 });
  context.after(() => recordDumps(null));
  const [a, b] = twoPeers(context);
  const channel = a.createDataChannel("chat");
  const opened = nextEvent(channel, "open");
  await negotiate(a, b);
  await opened;

  const { UserAgentData, PeerConnections } = JSON.parse(dump(a, b));
  assert.equal(UserAgentData.brands[0].brand, "peerconnection");
  const both = Object.values(PeerConnections);
  assert.equal(both.length, 2);
  const [caller, callee] = both.map(({ updateLog }) => updateLog.map(({ type }) => type));
  // Events that the module dispatches itself are there, and the outcomes of promises.
  for (const type of ["createDataChannel", "onsignalingstatechange", "dataChannel.onstatechange"]) {
    assert.ok(caller.includes(type), `${caller} has no ${type}`);
  }
  for (const type of ["ondatachannel", "setLocalDescription", "setLocalDescriptionOnSuccess"]) {
    assert.ok(callee.includes(type), `${callee} has no ${type}`);
  }
  const series = Object.entries(both[0].stats);
  assert.ok(series.some(([name]) => /^transport-.*-bytesSent$/.test(name)));
});

test("without recordDumps() there is none", context => {
  const pc = new RTCPeerConnection();
  context.after(() => pc.close());
  assert.equal(dump(pc), null);
  assert.equal(dump(), null);
  for (const value of [undefined, null, {}, 7]) {
    assert.throws(() => dump(pc, value), TypeError);
  }
  assert.throws(() => recordDumps({ logBytes: -1 }), TypeError);
  assert.throws(() => recordDumps(7), TypeError);
});
