#!/usr/bin/env node
// Runs web-platform-tests on the module and compares the results with expectations.json:
//
//   npm run wpt -- --root path/to/wpt [options] [filter ...]
//
// Fails on any difference: a subtest that passes or fails unexpectedly, one that is no longer
// there, one whose reason nobody has written yet.
//
//   --update              write what the results are now, reasons stay; then replace each "TODO"
//   --expectations FILE   instead of expectations.json
//   --impl PATH           instead of impl.mjs, the module of this folder
//   --repeat N            run everything N times: what is not the same each time is a difference
//   --out FILE            results, as run.mjs writes them               (default: none)
//   --jobs N              files run in parallel              (default: one for each processor)
//   --timeout, --long-timeout, --subtest-timeout, --dir, --show-output: see run.mjs
//
// Subtests have a time limit of their own here: one that hangs says nothing about those behind it.
import fs from "node:fs";
import { fileURLToPath } from "node:url";

import {
  UNKNOWN_REASON,
  differences,
  readExpectations,
  updated,
  writeExpectations,
} from "./expectations.mjs";
import { obsoleteReasons } from "./obsolete.mjs";
import { jobsForThisMachine, parseOptions } from "./options.mjs";
import { runTests } from "./runner.mjs";
import { listTests, selectTests } from "./tests.mjs";

const beside = name => fileURLToPath(new URL(name, import.meta.url));

const DEFAULTS = {
  expectations: beside("expectations.json"),
  impl: beside("impl.mjs"),
  out: undefined,
  jobs: jobsForThisMachine(),
  repeat: 1,
  // The longest subtest that passes plays tones for 12 seconds. A file may have some that hang.
  timeout: 90,
  "long-timeout": 120,
  "subtest-timeout": 20,
};

let options;
try {
  options = parseOptions(process.argv.slice(2), {
    flags: ["update", "show-output"],
    defaults: DEFAULTS,
  });
} catch (error) {
  console.error(error.message);
  process.exit(2);
}

const all = listTests(options.root, options.dir);
const tests = selectTests(all, options.filters);
const expectations = readExpectations(options.expectations);
const stale = options.filters.length ? [] : missingFiles();
const results = [];
let failed = tests.length === 0 || stale.length > 0;

if (!tests.length) console.log("no test file has a name like that");
for (const file of stale) console.log(`${file}\n  gone: the file is not in the tree`);
for (let round = 1; round <= options.repeat; round += 1) {
  await runTests(tests, options, record => {
    results.push(record);
    if (!options.update) show(record);
  });
}
if (options.update) update();
if (options.out) fs.writeFileSync(options.out, JSON.stringify(results.sort(byFile), null, 1));
summarize();
process.exitCode = failed && !options.update ? 1 : 0;

function missingFiles() {
  const present = new Set(all.map(({ file }) => file));
  const expected = Object.keys(expectations).filter(file => file.startsWith(`${options.dir}/`));
  return expected.filter(file => !present.has(file));
}

function show(record) {
  const found = differences(record, expectations[record.file]);
  if (!found.length) return;
  failed = true;
  console.log(record.file);
  for (const { kind, text, name, detail } of found) {
    console.log(`  ${kind}: ${name === undefined ? text : `${name}\n      ${text}`}`);
    if (detail) console.log(`      ${detail.split("\n")[0].slice(0, 300)}`);
  }
}

function update() {
  const obsolete = obsoleteReasons();
  for (const file of stale) delete expectations[file];
  for (const record of results) {
    const reasonFor = name => obsolete(record.file, name) ?? UNKNOWN_REASON;
    expectations[record.file] = updated(record, expectations[record.file], reasonFor);
  }
  writeExpectations(options.expectations, expectations);
  const unknown = JSON.stringify(expectations).split(UNKNOWN_REASON).length - 1;
  if (unknown) console.log(`${unknown} times "${UNKNOWN_REASON}" in ${options.expectations}`);
}

function summarize() {
  const subtests = results.flatMap(record => record.subtests);
  const passing = subtests.filter(({ status }) => status === "PASS").length;
  const verdict = options.update ? "written" : failed ? "not as expected" : "as expected";
  console.log(
    `${passing} of ${subtests.length} subtests pass in ${results.length} files: ${verdict}`,
  );
}

function byFile(a, b) {
  return a.file < b.file ? -1 : 1;
}
