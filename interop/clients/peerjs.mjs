// PeerJS on the Node module, with its own server.
//
//     INTEROP_PACKAGES=target/interop/clients node interop/clients/peerjs.mjs
import assert from "node:assert/strict";
import { createRequire } from "node:module";
import path from "node:path";
import { after, test } from "node:test";

const require = createRequire(
  path.join(path.resolve(process.env.INTEROP_PACKAGES), "package.json"),
);
const module_ = createRequire(import.meta.url)("../../crates/node");
const { createTrack } = createRequire(import.meta.url)("../../crates/node/lib/testing");

// PeerJS is for browsers and needs their globals.
const { WebSocket } = require("ws");
Object.assign(globalThis, module_, { WebSocket, location: { protocol: "http:" } });
globalThis.window = globalThis;

const { Peer } = require("peerjs");
const { PeerServer } = require("peer");

const server = await new Promise(resolve => {
  PeerServer({ host: "127.0.0.1", port: 0, path: "/" }, resolve);
});
after(() => {
  server.close();
  // The server keeps timers of its own.
  setImmediate(() => process.exit());
});

async function peer(id) {
  const { port } = server.address();
  const peer = new Peer(id, {
    host: "127.0.0.1",
    port,
    path: "/",
    config: { iceServers: [] },
    debug: 1,
  });
  await emitted(peer, "open");
  return peer;
}

/** PeerJS has an emitter of its own. */
function emitted(emitter, event) {
  return new Promise((resolve, reject) => {
    emitter.once("error", reject);
    emitter.once(event, resolve);
  });
}

const VALUES = {
  binary: [
    { text: "Grüße", list: [1, 2.5, null], bytes: new Uint8Array([1, 2, 3]) },
    "x".repeat(200_000),
  ],
  json: [{ text: "Grüße", list: [1, 2.5, null] }, "text"],
  raw: ["text"],
};

for (const [serialization, values] of Object.entries(VALUES)) {
  test(`values come back, ${serialization}`, { timeout: 20_000 }, async () => {
    const [a, b] = await Promise.all([peer(`a-${serialization}`), peer(`b-${serialization}`)]);
    b.on("connection", connection => connection.on("data", data => connection.send(data)));
    const connection = a.connect(b.id, { serialization });
    await emitted(connection, "open");
    for (const value of values) {
      const back = emitted(connection, "data");
      connection.send(value);
      assert.deepEqual(plain(await back), plain(value));
    }
    const closed = emitted(connection, "close");
    b.destroy();
    await closed;
    a.destroy();
  });
}

/** What was sent as an array of octets comes back as their buffer. */
function plain(value) {
  if (value instanceof ArrayBuffer) return [...new Uint8Array(value)];
  if (ArrayBuffer.isView(value)) return [...value];
  if (Array.isArray(value)) return value.map(plain);
  if (value && typeof value === "object") {
    return Object.fromEntries(Object.entries(value).map(([key, member]) => [key, plain(member)]));
  }
  return value;
}

test("a call with audio and video", { timeout: 20_000 }, async () => {
  const [a, b] = await Promise.all([peer("caller"), peer("called")]);
  const stream = () => new module_.MediaStream(["audio", "video"].map(kind => createTrack(kind)));
  b.on("call", call => call.answer(stream()));
  const call = a.call(b.id, stream());
  const remote = await emitted(call, "stream");
  assert.deepEqual(
    remote
      .getTracks()
      .map(({ kind }) => kind)
      .sort(),
    ["audio", "video"],
  );
  const closed = emitted(call, "close");
  call.close();
  await closed;
  a.destroy();
  b.destroy();
});
