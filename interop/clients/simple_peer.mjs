// simple-peer on the Node module: its own tests, and calls of today's release.
//
//     INTEROP_PACKAGES=target/interop/clients node interop/clients/simple_peer.mjs [CHECKOUT]
//
// 8.0.0 is the last release that was published with its tests. With CHECKOUT, the sources of a
// later release, its tests run as well.
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { once } from "node:events";
import { createRequire } from "node:module";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { test } from "node:test";

const packages = path.resolve(process.env.INTEROP_PACKAGES);
const here = path.dirname(fileURLToPath(import.meta.url));
const [checkout] = process.argv.slice(2);

// 8.0.0 closes its connection before its channel: an error of the other side's, as in Chromium.
const FILES = ["basic", "binary", "object-mode", "trickle"];
const LATER_FILES = ["stream", "negotiation", "multistream"];

function ownTests(folder, files) {
  for (const file of files) {
    test(`${path.basename(folder)}: ${file}`, () => {
      const ran = spawnSync(
        process.execPath,
        ["-r", path.join(here, "outside.cjs"), `test/${file}.js`],
        {
          cwd: folder,
          env: {
            ...process.env,
            WRTC: "wrtc",
            INTEROP_PACKAGES: packages,
            INTEROP_TESTS: path.join(folder, path.sep),
          },
          encoding: "utf8",
          timeout: 60_000,
        },
      );
      assert.equal(ran.status, 0, `${ran.stdout}\n${ran.stderr}`);
      assert.match(ran.stdout, /^# pass +[1-9]/m);
    });
  }
}

ownTests(path.join(packages, "node_modules/simple-peer-8"), FILES);
if (checkout) ownTests(path.resolve(checkout), [...FILES, ...LATER_FILES]);

const require = createRequire(path.join(packages, "package.json"));
const SimplePeer = require("simple-peer");
const wrtc = createRequire(import.meta.url)("../../crates/node");
const { createTrack } = createRequire(import.meta.url)("../../crates/node/lib/testing");

function pair(options = {}) {
  const config = { iceServers: [] };
  const peers = [true, false].map(
    initiator => new SimplePeer({ initiator, config, wrtc, ...options }),
  );
  const [a, b] = peers;
  a.on("signal", signal => b.destroyed || b.signal(signal));
  b.on("signal", signal => a.destroyed || a.signal(signal));
  return peers;
}

// Without trickle simple-peer takes a line out of the offer before it is applied.
for (const trickle of [true, false]) {
  test(`9.11.1: a call, ${trickle ? "with" : "without"} trickle`, {
    timeout: 20_000,
  }, async () => {
    const [a, b] = pair({ trickle });
    await Promise.all([once(a, "connect"), once(b, "connect")]);
    const back = once(a, "data");
    b.once("data", data => b.send(data));
    a.send("over and back");
    assert.equal(String((await back)[0]), "over and back");

    const tracks = ["audio", "video"].map(kind => createTrack(kind));
    const came = once(b, "stream");
    a.addStream(new wrtc.MediaStream(tracks));
    const [stream] = await came;
    assert.deepEqual(
      stream
        .getTracks()
        .map(({ kind }) => kind)
        .sort(),
      ["audio", "video"],
    );
    // It closes its channel before its connection, so there is no error.
    const closed = once(b, "close");
    a.destroy();
    await closed;
  });
}
