"use strict";

// HTML §8.1.7.3 "perform a microtask checkpoint", from JavaScript. No runtime documents a way, and
// each has one. Those of Node and Bun also run the callbacks of `process.nextTick`.

const { versions } = process;

function ofBun() {
  const { drainMicrotasks } = require("bun:jsc");
  return drainMicrotasks;
}

function ofDeno() {
  const { core } = globalThis.Deno[globalThis.Deno.internal];
  // Its `runNextTicks` also looks for rejections, and loses what they say.
  return core.runMicrotasks;
}

// Throws exceptions of the callbacks, and never one of a microtask.
function ofNode() {
  return process._tickCallback;
}

function find() {
  try {
    const run =
      versions.bun !== undefined ? ofBun() : versions.deno !== undefined ? ofDeno() : ofNode();
    if (typeof run === "function") return run;
  } catch {
    // The same as if it were not there.
  }
  const [name] = ["bun", "deno", "node"].filter(name => versions[name] !== undefined);
  // Without it events overtake what promises lead to, and perfect negotiation goes wrong, seldom
  // and silently.
  throw new Error(
    `peerconnection cannot run on this version of ${name}, ${versions[name]}: it has no known way ` +
      "to run microtasks between two event listeners, as a browser does",
  );
}

module.exports = { runMicrotasks: find() };
