// What console.log() shows of objects.
import assert from "node:assert/strict";
import { test } from "node:test";
import { inspect } from "node:util";

import {
  RTCDataChannel,
  RTCError,
  RTCPeerConnection,
  RTCPeerConnectionIceEvent,
} from "peerconnection";

import { twoPeers } from "./peers.mjs";

test("an object shows its attributes and what was added, and no handlers that are not set", context => {
  const [pc] = twoPeers(context);
  const channel = pc.createDataChannel("chat");
  channel.note = "mine";
  const lines = inspect(channel).split("\n");
  assert.equal(lines[0], "RTCDataChannel {");
  for (const line of ["label: 'chat'", "readyState: 'connecting'", "id: null", "note: 'mine'"])
    assert.ok(
      lines.some(shown => shown.trim().replace(/,$/, "") === line),
      line,
    );
  assert.doesNotMatch(inspect(channel), /onopen|Symbol/);
  channel.onopen = function opened() {};
  assert.match(inspect(channel), /onopen: \[Function: opened\]/);
});

test("a description shows its whole text, and within a connection only its beginning", async context => {
  const [pc] = twoPeers(context);
  pc.addTransceiver("audio");
  await pc.setLocalDescription();
  assert.match(
    inspect(pc),
    /^RTCPeerConnection \{\n {2}localDescription: RTCSessionDescription \{/,
  );
  assert.match(inspect(pc), /more characters/);
  assert.match(inspect(pc.localDescription), /a=rtpmap:111 opus/);
  assert.doesNotMatch(inspect(pc.localDescription), /more characters/);
});

test("what is too deep is named, and so are prototypes", context => {
  const [pc] = twoPeers(context);
  assert.match(inspect({ a: { b: { c: pc } } }), /c: \[RTCPeerConnection\]/);
  assert.match(inspect(RTCDataChannel.prototype), /RTCDataChannel/);
});

test("statistics show their entries", async context => {
  const [pc] = twoPeers(context);
  assert.match(
    inspect(await pc.getStats()),
    /^RTCStatsReport of Map\(\d+\) \{\n {2}'peer-connection-/,
  );
});

test("an error shows its stack, and an event its type and what it brings", () => {
  const error = new RTCError({ errorDetail: "dtls-failure", receivedAlert: 40 }, "no");
  assert.match(inspect(error), /^OperationError: no\n {4}at .*receivedAlert: 40/s);
  const event = new RTCPeerConnectionIceEvent("icecandidate", { url: "stun:x" });
  assert.match(
    inspect(event),
    /^RTCPeerConnectionIceEvent \{[^]*type: 'icecandidate'[^]*url: 'stun:x'/,
  );
});

test("a class of the application that extends an interface shows what the interface has", context => {
  class Call extends RTCPeerConnection {}
  const call = new Call();
  context.after(() => call.close());
  assert.match(inspect(call), /^Call \{[^]*signalingState: 'stable'/);
});
