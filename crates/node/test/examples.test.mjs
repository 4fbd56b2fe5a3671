// The examples behave in Node as they do in a browser. They are the same files.
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

import { findChromium, NoOutcome, runInChromium } from "./chromium.mjs";

const FOLDER = fileURLToPath(new URL("../../../examples/js", import.meta.url));
const EXAMPLES = ["data_channel", "perfect_negotiation", "restart_ice"];
const LIMIT_MS = 60_000;

const skip = findChromium() ? false : "no Chromium is installed";

async function runInNode(name) {
  const options = { cwd: FOLDER, timeout: LIMIT_MS };
  const run = promisify(execFile)(process.execPath, ["node.mjs", name, "--json"], options);
  return JSON.parse((await run).stdout);
}

/** Chromium 156 once did not finish on a busy machine, so it gets a second try. */
async function outcomeInChromium(name, diagnostic) {
  const run = () => runInChromium(FOLDER, `${name}.mjs`, LIMIT_MS);
  return run().catch(error => {
    if (!(error instanceof NoOutcome)) throw error;
    diagnostic(error.message);
    return run();
  });
}

for (const name of EXAMPLES) {
  test(name, { skip }, async context => {
    const inNode = await runInNode(name);
    const inChromium = await outcomeInChromium(name, line => context.diagnostic(line));
    assert.deepEqual(inNode, inChromium);
  });
}
