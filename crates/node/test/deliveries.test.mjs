// lib/deliveries.js: the addon, its declarations and the JavaScript layer know the same kinds.
import assert from "node:assert/strict";
import fs from "node:fs";
import { createRequire } from "node:module";
import { test } from "node:test";

const require = createRequire(import.meta.url);
const { DeliveryKind } = require("../lib/native.js");
const { byName, deliveries } = require("../lib/deliveries.js");

const names = Object.keys(DeliveryKind).sort();

test("each kind of the addon has its place in the table, and no other has", () => {
  assert.deepEqual(Object.keys(byName).sort(), names);
  for (const name of names) assert.equal(deliveries[DeliveryKind[name]], byName[name], name);
  assert.equal(new Set(Object.values(DeliveryKind)).size, names.length);
});

test("each kind of the addon is declared with what comes with it, and no other is", () => {
  const declarations = fs.readFileSync(new URL("../lib/native.d.ts", import.meta.url), "utf8");
  const [, members] = /^export interface Deliveries \{$(.*?)^\}$/ms.exec(declarations);
  const declared = [...members.matchAll(/^ {2}(\w+): \[/gm)].map(([, name]) => name);
  assert.deepEqual(declared.sort(), names);
});
