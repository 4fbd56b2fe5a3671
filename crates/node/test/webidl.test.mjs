// lib/webidl.js and dictionaries made with it: Web IDL §3.2, without the addon.
import assert from "node:assert/strict";
import { createRequire } from "node:module";
import { test } from "node:test";

const require = createRequire(import.meta.url);
const webidl = require("../lib/webidl.js");
const { MediaTrackConstraints } = require("../lib/constraints.js");

test("integers wrap around, are clamped or are refused", () => {
  const { unsignedShort, long, integer } = webidl;
  assert.deepEqual(
    [-1, 65536, 65537.9, "12", NaN, Infinity, null].map(value => unsignedShort(value)),
    [65535, 0, 1, 12, 0, 0, 0],
  );
  assert.deepEqual(
    [2 ** 31, -(2 ** 31) - 1].map(value => long(value)),
    [-(2 ** 31), 2 ** 31 - 1],
  );
  assert.ok(Object.is(unsignedShort(-0.5), 0));

  const clamped = integer(8, { mode: "clamp" });
  assert.deepEqual(
    [-3, 300, 1.5, 2.5, 2.6, NaN].map(value => clamped(value)),
    [0, 255, 2, 2, 3, 0],
  );

  const enforced = integer(16, { mode: "enforce range" });
  assert.deepEqual(
    [0, 65535, 65535.9, -0.9, "7"].map(value => enforced(value, "id")),
    [0, 65535, 65535, 0, 7],
  );
  for (const value of [-1, 65536, NaN, Infinity, undefined, "x", 1n, Symbol()]) {
    assert.throws(() => enforced(value, "id"), TypeError);
  }
});

test("strings", () => {
  assert.equal(webidl.DOMString(undefined), "undefined");
  assert.equal(webidl.USVString("a\uD800b"), "a\uFFFDb");
  assert.throws(() => webidl.DOMString(Symbol()), TypeError);
});

test("a dictionary reads its members in order, each level by itself, and once", () => {
  const { dictionary, DOMString, boolean, required, defaulting } = webidl;
  const convert = dictionary(
    "Derived",
    { z: DOMString, b: defaulting(boolean, false) },
    { a: required(DOMString) },
  );
  const reads = [];
  const given = new Proxy(
    { a: 1, b: undefined, other: 1 },
    {
      get(target, key) {
        reads.push(key);
        return target[key];
      },
    },
  );
  assert.deepEqual(convert(given, "argument"), { b: false, a: "1" });
  assert.deepEqual(reads, ["b", "z", "a"]);
  for (const value of [undefined, null, {}, "string", 1])
    assert.throws(() => convert(value, "argument"), TypeError);
});

test("a sequence is any iterable, and its iterator is looked up once", () => {
  const list = webidl.sequence(webidl.DOMString);
  assert.deepEqual(list(new Set([1, 2]), "list"), ["1", "2"]);
  assert.deepEqual(list(new String("ab"), "list"), ["a", "b"]);
  for (const value of ["ab", {}, null, { [Symbol.iterator]: 1 }])
    assert.throws(() => list(value, "list"), TypeError);

  let looks = 0;
  const iterable = {
    get [Symbol.iterator]() {
      looks++;
      return [3][Symbol.iterator].bind([3]);
    },
  };
  assert.deepEqual(webidl.orSequence(webidl.DOMString)(iterable, "urls"), ["3"]);
  assert.equal(webidl.orSequence(webidl.DOMString)("stun:a", "urls"), "stun:a");
  assert.equal(looks, 1);
});

test("enumerations", () => {
  const direction = webidl.enumeration("Direction", "in", "out");
  assert.equal(direction({ toString: () => "in" }, "direction"), "in");
  assert.throws(() => direction("IN", "direction"), TypeError);
  assert.ok(!direction.includes("IN"));
});

test("a constraint on a string is a string, a list or a dictionary", () => {
  const deviceId = value => MediaTrackConstraints({ deviceId: value }, "constraints").deviceId;
  assert.equal(deviceId("a"), "a");
  assert.deepEqual(deviceId(["a", "b"]), ["a", "b"]);
  assert.deepEqual(deviceId({ exact: "a" }), { exact: "a" });
  // GetMethod of ECMAScript: null and undefined are no method.
  assert.deepEqual(deviceId({ exact: "a", [Symbol.iterator]: null }), { exact: "a" });
});
