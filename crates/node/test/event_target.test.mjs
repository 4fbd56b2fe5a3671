// lib/event_target.js: microtasks between listeners and event handlers, without the addon.
import assert from "node:assert/strict";
import { createRequire } from "node:module";
import { setImmediate as nextTask } from "node:timers/promises";
import { test } from "node:test";

const { defineEventTarget, fire, trust } = createRequire(import.meta.url)("../lib/event_target.js");

class Target extends EventTarget {}
defineEventTarget(Target, value => value instanceof Target, "thing");

// Runs `task` with nothing but the event loop on the stack.
const inTask = task =>
  new Promise((resolve, reject) =>
    setImmediate(() => {
      try {
        resolve(task());
      } catch (error) {
        reject(error);
      }
    }),
  );

function listening(log) {
  const target = new Target();
  const listener = name => () => {
    log.push(name);
    queueMicrotask(() => log.push(`after ${name}`));
  };
  target.onthing = listener("handler");
  target.addEventListener("thing", listener("listener"));
  return target;
}

test("after each listener microtasks run, when the event loop fires", async () => {
  const log = [];
  const target = listening(log);
  await inTask(() => {
    fire(target, new Event("thing"), true);
    log.push("fired");
  });
  assert.deepEqual(log, ["handler", "after handler", "listener", "after listener", "fired"]);
});

test("and not when an application dispatches, not even from within such a listener", async () => {
  const log = [];
  const target = listening(log);
  target.dispatchEvent(new Event("thing"));
  log.push("dispatched");
  await nextTask();
  assert.deepEqual(log, ["handler", "listener", "dispatched", "after handler", "after listener"]);

  log.length = 0;
  const outer = new Target();
  outer.onthing = () => {
    target.dispatchEvent(new Event("thing"));
    log.push("dispatched");
  };
  await inTask(() => fire(outer, new Event("thing"), true));
  assert.deepEqual(log, ["handler", "listener", "dispatched", "after handler", "after listener"]);
});

test("an event handler keeps its place among the listeners until it is null", () => {
  const log = [];
  const target = new Target();
  target.onthing = () => log.push("first");
  target.addEventListener("thing", () => log.push("listener"));
  target.onthing = () => log.push("second");
  target.dispatchEvent(new Event("thing"));
  target.onthing = null;
  target.onthing = () => log.push("third");
  target.dispatchEvent(new Event("thing"));
  assert.deepEqual(log, ["second", "listener", "listener", "third"]);
});

test("what an event handler can be", () => {
  const target = new Target();
  target.onthing = "not an object";
  assert.equal(target.onthing, null);
  const object = {};
  target.onthing = object;
  assert.equal(target.onthing, object);
  target.dispatchEvent(new Event("thing"));
  target.onthing = () => false;
  assert.equal(target.dispatchEvent(new Event("thing", { cancelable: true })), false);
  assert.throws(() => {
    Target.prototype.onthing = null;
  }, TypeError);
});

test("listeners are known again, objects and functions", () => {
  const log = [];
  const target = new Target();
  const listener = function () {
    log.push(this === target);
  };
  const object = {
    handleEvent() {
      log.push(this === object);
    },
  };
  for (const each of [listener, listener, object, object]) target.addEventListener("thing", each);
  target.dispatchEvent(new Event("thing"));
  target.removeEventListener("thing", listener);
  target.removeEventListener("thing", object);
  target.dispatchEvent(new Event("thing"));
  assert.deepEqual(log, [true, true]);
});

test("events that are fired are trusted", () => {
  const event = trust(new Event("thing"));
  assert.equal(event.isTrusted, true);
  assert.equal(event.constructor, Event);
});
