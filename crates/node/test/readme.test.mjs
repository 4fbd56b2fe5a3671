// The program of README.md, run at both ends of a call.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";

import { RTCPeerConnection } from "peerconnection";

const readme = readFileSync(new URL("../README.md", import.meta.url), "utf8");
const programs = [...readme.matchAll(/^```js\n(.*?)^```$/gms)].map(([, program]) => program);

test("the program of README.md connects", { timeout: 30_000 }, async context => {
  const [program, ...others] = programs;
  assert.deepEqual(others, [], "one program, which is run here");
  const lines = program.split("\n");
  assert.match(lines[0], /^import \{ RTCPeerConnection \} from "peerconnection";/);
  const body = `${lines.slice(1).join("\n")}\nreturn pc;`;
  const run = new Function("RTCPeerConnection", "signaling", body);

  const signaling = [{}, {}];
  const peers = signaling.map(own => run(RTCPeerConnection, own));
  context.after(() => peers.forEach(pc => pc.close()));
  const [caller, callee] = peers;
  const receive =
    (pc, own) =>
    async ({ description, candidate }) => {
      if (description) {
        await pc.setRemoteDescription(description);
        if (description.type === "offer") {
          await pc.setLocalDescription();
          own.send({ description: pc.localDescription });
        }
      } else {
        await pc.addIceCandidate(candidate);
      }
    };
  const [toCaller, toCallee] = [receive(caller, signaling[0]), receive(callee, signaling[1])];
  signaling[0].send = toCallee;
  signaling[1].send = toCaller;

  callee.ondatachannel = ({ channel }) => {
    channel.onmessage = ({ data }) => channel.send(`${data} and back`);
  };
  const channel = caller.createDataChannel("chat");
  const answer = new Promise(resolve => {
    channel.onmessage = ({ data }) => resolve(data);
  });
  channel.onopen = () => channel.send("over");
  assert.equal(await answer, "over and back");
});
