// What is expected of every test file, and how results differ from it.
//
// expectations.json has each file of the tree:
//
//   "webrtc/X.html": {
//     "passing": 12,                          how many subtests pass
//     "harness": { "status", "reason" },      if it is not OK
//     "others": [                             subtests that do not pass, by reason
//       { "reason": "in one line", "subtests": { "name": "FAIL" } }
//     ]
//   }
import fs from "node:fs";

/**
 * The reason that `--update` writes for someone to replace. A subtest with it is never as expected.
 */
export const UNKNOWN_REASON = "TODO: reason";

export function readExpectations(file) {
  return fs.existsSync(file) ? JSON.parse(fs.readFileSync(file, "utf8")) : {};
}

/** One line for a file that passes whole, so that the rest is easy to see. */
export function writeExpectations(file, expectations) {
  const entries = Object.entries(expectations).sort(([a], [b]) => (a < b ? -1 : 1));
  const text = entries.map(([name, expected]) => {
    const indent = Object.keys(expected).length === 1 ? undefined : 2;
    const body = JSON.stringify(expected, null, indent)?.replaceAll("\n", "\n  ");
    return `  ${JSON.stringify(name)}: ${indent ? body : body.replace(/[:{]/g, "$& ").replace("}", " }")}`;
  });
  fs.writeFileSync(file, `{\n${text.join(",\n")}\n}\n`);
}

/** `[[name, status, message]]`; a second subtest of the same name is `name (2)`. */
function subtestsOf(record) {
  const seen = new Map();
  return record.subtests.map(({ name, status, message }) => {
    const count = (seen.get(name) ?? 0) + 1;
    seen.set(name, count);
    return [count === 1 ? name : `${name} (${count})`, status, message];
  });
}

/** `Map` of the name of each subtest that is not expected to pass to `{status, reason}`. */
function expectedOthers(expected) {
  const groups = expected?.others ?? [];
  return new Map(
    groups.flatMap(({ reason, subtests }) =>
      Object.entries(subtests).map(([name, status]) => [name, { status, reason }]),
    ),
  );
}

/**
 * How `record` differs from what is `expected` of its file: `[{kind, name?, text, detail?}]`, empty
 * if it does not.
 */
export function differences(record, expected) {
  const found = [];
  const differ = (kind, text, name, detail) => found.push({ kind, text, name, detail });
  if (!expected) differ("new file", "not in the expectations");
  compareHarness(record, expected?.harness, differ);

  const others = expectedOthers(expected);
  let passing = 0;
  for (const [name, status, message] of subtestsOf(record)) {
    const other = others.get(name);
    others.delete(name);
    if (status === "PASS") passing += 1;
    compareSubtest({ name, status, message }, other, differ);
  }
  for (const [name, { status, reason }] of others) {
    differ("gone", `expected ${status}: ${reason}`, name);
  }
  // Each subtest that is listed has been compared; others can only be counted.
  const explained = found.some(({ kind }) => kind === "new file" || kind.startsWith("unexpected"));
  if (expected && passing !== expected.passing && !explained) {
    differ("count", `${passing} subtests pass, expected ${expected.passing}`);
  }
  return found;
}

function compareHarness({ status, message }, expected, differ) {
  if (status !== (expected?.status ?? "OK")) {
    differ(`harness ${status}`, `expected ${expected?.status ?? "OK"}`, undefined, message);
  } else if (expected && isUnknown(expected.reason)) {
    differ("no reason", `harness ${status}`);
  }
}

function compareSubtest({ name, status, message }, other, differ) {
  if (status === "PASS") {
    if (other) differ("unexpected PASS", `expected ${other.status}: ${other.reason}`, name);
  } else if (!other) {
    differ(`unexpected ${status}`, "expected PASS", name, message);
  } else if (status !== other.status) {
    differ(`changed ${status}`, `expected ${other.status}: ${other.reason}`, name, message);
  } else if (isUnknown(other.reason)) {
    differ("no reason", status, name, message);
  }
}

const isUnknown = reason => !reason?.trim() || reason.startsWith("TODO");

/**
 * Makes new expectations from the results in `record`. Reasons are kept; `reasonFor(name)` gives
 * one to a subtest that had none. A file whose harness is not OK gets the reason of its subtests,
 * if they all have the same.
 */
export function updated(record, expected, reasonFor) {
  const known = expectedOthers(expected);
  const byReason = new Map((expected?.others ?? []).map(({ reason }) => [reason, {}]));
  let passing = 0;
  for (const [name, status] of subtestsOf(record)) {
    if (status === "PASS") {
      passing += 1;
      continue;
    }
    const reason = known.get(name)?.reason ?? reasonFor(name);
    if (!byReason.has(reason)) byReason.set(reason, {});
    byReason.get(reason)[name] = status;
  }
  const others = [...byReason].filter(([, subtests]) => Object.keys(subtests).length);
  const reason = expected?.harness?.reason ?? (others.length === 1 ? others[0][0] : UNKNOWN_REASON);
  return {
    passing,
    ...(record.status !== "OK" && { harness: { status: record.status, reason } }),
    ...(others.length && { others: others.map(([reason, subtests]) => ({ reason, subtests })) }),
  };
}
