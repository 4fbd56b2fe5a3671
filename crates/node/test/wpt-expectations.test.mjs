// The comparison of results with expectations: what `npm run wpt` fails on.
import assert from "node:assert/strict";
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { test } from "node:test";

import {
  UNKNOWN_REASON,
  differences,
  readExpectations,
  updated,
  writeExpectations,
} from "../wpt/expectations.mjs";

const record = (subtests, status = "OK") => ({
  file: "webrtc/a.html",
  status,
  message: null,
  subtests: Object.entries(subtests).map(([name, status]) => ({ name, status, message: null })),
});

const EXPECTED = {
  passing: 1,
  others: [{ reason: "no media yet", subtests: { sends: "FAIL", waits: "TIMEOUT" } }],
};

const kinds = (seen, expected) => differences(seen, expected).map(({ kind, name }) => [kind, name]);

test("results that are as expected have no difference", () => {
  const seen = record({ opens: "PASS", sends: "FAIL", waits: "TIMEOUT" });
  assert.deepEqual(kinds(seen, EXPECTED), []);
});

test("a subtest that fails or passes unexpectedly is a difference", () => {
  const seen = record({ opens: "FAIL", sends: "PASS", waits: "TIMEOUT" });
  assert.deepEqual(kinds(seen, EXPECTED), [
    ["unexpected FAIL", "opens"],
    ["unexpected PASS", "sends"],
  ]);
});

test("another way not to pass is a difference", () => {
  const seen = record({ opens: "PASS", sends: "NOTRUN", waits: "TIMEOUT" });
  assert.deepEqual(kinds(seen, EXPECTED), [["changed NOTRUN", "sends"]]);
});

test("a subtest that is no longer there is a difference, also one that passed", () => {
  assert.deepEqual(kinds(record({ opens: "PASS", sends: "FAIL" }), EXPECTED), [["gone", "waits"]]);
  assert.deepEqual(kinds(record({ sends: "FAIL", waits: "TIMEOUT" }), EXPECTED), [
    ["count", undefined],
  ]);
});

test("how the file ended is compared", () => {
  const seen = record({ opens: "PASS", sends: "FAIL", waits: "TIMEOUT" }, "CRASH");
  assert.deepEqual(kinds(seen, EXPECTED), [["harness CRASH", undefined]]);
  const harness = { status: "CRASH", reason: "known" };
  assert.deepEqual(kinds(seen, { ...EXPECTED, harness }), []);
});

test("two subtests of one name are two subtests", () => {
  const seen = record({ opens: "PASS" });
  seen.subtests.push({ name: "opens", status: "FAIL", message: null });
  assert.deepEqual(kinds(seen, { passing: 1 }), [["unexpected FAIL", "opens (2)"]]);
});

test("an update keeps reasons, and what has none is never as expected", () => {
  const seen = record({ opens: "FAIL", sends: "FAIL", waits: "PASS", closes: "FAIL" });
  const reasonFor = name => (name === "closes" ? "out of date" : UNKNOWN_REASON);
  const now = updated(seen, EXPECTED, reasonFor);
  assert.deepEqual(now, {
    passing: 1,
    others: [
      { reason: "no media yet", subtests: { sends: "FAIL" } },
      { reason: UNKNOWN_REASON, subtests: { opens: "FAIL" } },
      { reason: "out of date", subtests: { closes: "FAIL" } },
    ],
  });
  assert.deepEqual(kinds(seen, now), [["no reason", "opens"]]);
});

test("a file that hangs does so for the reason of its subtests, if that is one", () => {
  const seen = record({ opens: "PASS", sends: "FAIL", waits: "TIMEOUT" }, "TIMEOUT");
  const harness = { status: "TIMEOUT", reason: "no media yet" };
  assert.deepEqual(updated(seen, EXPECTED).harness, harness);
  const two = record({ opens: "FAIL", sends: "FAIL" }, "TIMEOUT");
  assert.equal(updated(two, EXPECTED, () => "another").harness.reason, UNKNOWN_REASON);
});

test("expectations are read as they were written", () => {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), "expectations-"));
  const file = path.join(folder, "expectations.json");
  try {
    assert.deepEqual(readExpectations(file), {});
    const all = { "webrtc/b.html": EXPECTED, "webrtc/a.html": { passing: 12 } };
    writeExpectations(file, all);
    assert.deepEqual(readExpectations(file), all);
    assert.match(fs.readFileSync(file, "utf8"), /^ {2}"webrtc\/a.html": \{ "passing": 12 \},$/m);
  } finally {
    fs.rmSync(folder, { recursive: true });
  }
});
