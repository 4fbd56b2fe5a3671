// What every runtime must do, with nothing but the packages that npm installs: two peers, the order
// of events and microtasks, perfect negotiation, a restart of ICE, `console.log`. Prints "ok", and
// ends by itself.
import assert from "node:assert/strict";
import { once } from "node:events";
import { inspect } from "node:util";

import { RTCPeerConnection } from "peerconnection";

const [a, b] = [new RTCPeerConnection(), new RTCPeerConnection()];
const log = [];

// webrtc-pc §10.7
function connect(pc, other, polite) {
  let making = false;
  let ignoring = false;
  const signal = message => queueMicrotask(() => other.receive(message));
  pc.onicecandidate = ({ candidate }) => signal({ candidate });
  pc.onnegotiationneeded = async () => {
    try {
      making = true;
      await pc.setLocalDescription();
      signal({ description: pc.localDescription });
    } finally {
      making = false;
    }
  };
  pc.receive = async ({ description, candidate }) => {
    if (description) {
      const collision = description.type === "offer" && (making || pc.signalingState !== "stable");
      ignoring = !polite && collision;
      if (ignoring) return;
      await pc.setRemoteDescription(description);
      if (description.type === "offer") {
        await pc.setLocalDescription();
        signal({ description: pc.localDescription });
      }
    } else {
      await pc.addIceCandidate(candidate).catch(error => assert.ok(ignoring, error.message));
    }
  };
}
connect(a, b, true);
connect(b, a, false);

for (const name of ["first", "second"]) {
  a.addEventListener("signalingstatechange", () => {
    if (log.length >= 4) return;
    log.push(name);
    queueMicrotask(() => log.push(`after ${name}`));
  });
}

const until = async (condition, target, type) => {
  while (!condition()) await new Promise(go => target.addEventListener(type, go, { once: true }));
};

// Both sides offer at once.
const [ours, theirs] = [a, b].map(pc => pc.createDataChannel("data", { negotiated: true, id: 0 }));
a.addTransceiver("audio");
b.addTransceiver("video");
await until(() => ours.readyState === "open", ours, "open");
await until(() => theirs.readyState === "open", theirs, "open");
assert.deepEqual(log, ["first", "after first", "second", "after second"]);

const received = [];
theirs.onmessage = ({ data }) => {
  received.push(typeof data === "string" ? data : [...new Uint8Array(data)]);
  theirs.send(`${received.length}`);
};
ours.send("text");
ours.send(new Uint8Array([1, 2, 3]));
const answers = [];
ours.onmessage = ({ data }) => answers.push(data);
await until(() => answers.length === 2, ours, "message");
assert.deepEqual(received, ["text", [1, 2, 3]]);
assert.deepEqual(answers, ["1", "2"]);

const ufrag = pc => /a=ice-ufrag:(\S+)/.exec(pc.currentLocalDescription.sdp)[1];
const before = [a, b].map(ufrag);
a.restartIce();
await until(
  () => ufrag(a) !== before[0] && a.signalingState === "stable",
  a,
  "signalingstatechange",
);
ours.send("after the restart");
await until(() => answers.length === 3, ours, "message");
assert.notDeepEqual([a, b].map(ufrag), before);

const shown = inspect(a);
assert.match(shown, /^RTCPeerConnection \{/);
assert.match(shown, /signalingState: ['"]stable['"]/);
assert.match(inspect(ours), /readyState: ['"]open['"]/);

// An exception of a listener is one of the process, and the next listener is called.
const uncaught = once(process, "uncaughtException");
const thrown = new Error("of a listener");
b.addEventListener(
  "signalingstatechange",
  () => {
    throw thrown;
  },
  { once: true },
);
b.addEventListener("signalingstatechange", () => log.push("next listener"), { once: true });
a.restartIce();
assert.equal((await uncaught)[0], thrown);
await new Promise(resolve => setImmediate(resolve));
assert.equal(log.at(-1), "next listener");

a.close();
b.close();
assert.equal(a.connectionState, "closed");
console.log("ok");
