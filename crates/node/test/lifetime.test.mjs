// Lifetimes: processes end, objects are collected, closed connections leave nothing behind.
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { createRequire } from "node:module";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

import * as esModule from "peerconnection";

const LIMIT_MS = 120_000;
const MEGABYTE = 2 ** 20;

/** Runs a program and returns its output; fails if the program does not end by itself. */
async function run(name, ...options) {
  const program = fileURLToPath(new URL(`programs/${name}.mjs`, import.meta.url));
  const child = promisify(execFile)(process.execPath, [...options, program], { timeout: LIMIT_MS });
  return (await child).stdout.trim();
}

test("a process ends when only idle and closed connections remain", async () => {
  assert.equal(await run("idle"), "end of program");
});

test("a process does not end while a connection works", async () => {
  assert.equal(await run("waiting"), "over both");
});

test("devices, and those that read from tracks, do not keep a process alive", async () => {
  assert.equal(await run("reading"), "audio and video");
});

test("tracks of devices that nobody holds are collected, with their readers", async () => {
  const { registered, collected } = JSON.parse(await run("devices", "--expose-gc"));
  assert.equal(collected, registered);
});

test("connections that nobody holds are collected", async () => {
  const { registered, collected } = JSON.parse(await run("garbage", "--expose-gc"));
  assert.equal(collected, registered);
});

test("a thousand connections created and closed leave memory flat", async () => {
  const { count, before, after } = JSON.parse(await run("memory", "--expose-gc"));
  assert.equal(after.descriptors, before.descriptors);
  assert.equal(after.threads, before.threads);
  assert.ok(
    after.heap - before.heap < MEGABYTE,
    `the heap has grown: ${JSON.stringify({ before, after })}`,
  );
  // Not zero: an allocator keeps some memory for itself, and how much varies.
  const grown = (after.resident - before.resident) / count;
  assert.ok(grown < 8 * 1024, `${Math.round(grown)} bytes stay of each connection`);
});

test("ES modules and CommonJS have the same classes", () => {
  const commonJs = createRequire(import.meta.url)("peerconnection");
  const names = Object.keys(esModule).filter(
    name => name !== "default" && name !== "module.exports",
  );
  assert.deepEqual(names.sort(), Object.keys(commonJs).sort());
  for (const name of names) assert.equal(esModule[name], commonJs[name], name);
  assert.ok(names.includes("RTCPeerConnection"));
});
