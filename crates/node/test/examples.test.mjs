// The examples behave in Node as they do in a browser. They are the same files.
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

import { findChromium, runInChromium } from "./chromium.mjs";

const FOLDER = fileURLToPath(new URL("../../../examples/js", import.meta.url));
const EXAMPLES = ["data_channel", "perfect_negotiation", "restart_ice"];
const LIMIT_MS = 60_000;

const skip = findChromium() ? false : "no Chromium is installed";

async function runInNode(name) {
  const options = { cwd: FOLDER, timeout: LIMIT_MS };
  const run = promisify(execFile)(process.execPath, ["node.mjs", name, "--json"], options);
  return JSON.parse((await run).stdout);
}

for (const name of EXAMPLES) {
  test(name, { skip }, async () => {
    const inNode = await runInNode(name);
    const inChromium = await runInChromium(FOLDER, `${name}.mjs`, LIMIT_MS);
    assert.deepEqual(inNode, inChromium);
  });
}
