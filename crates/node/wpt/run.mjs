#!/usr/bin/env node
// Run web-platform-tests (testharness.js files) in Node against a WebRTC implementation.
//
//   node run.mjs --impl ./impl.mjs --root path/to/wpt --out results.json [options] [filter ...]
//
//   --impl PATH           module exporting the RTC* globals (see README.md)
//   --root DIR            WPT checkout                                   (or $WPT_ROOT)
//   --dir DIR             directory inside the root to run               (default webrtc)
//   --out FILE            results, written after every file              (default results.json)
//   --jobs N              files run in parallel, one child process each  (default 1)
//   --timeout S           harness timeout of a normal file               (default 30)
//   --long-timeout S      harness timeout of a <meta name=timeout content=long> file (default 60)
//   --subtest-timeout S   also time out each subtest after S seconds, so that one hanging
//                         subtest does not leave the rest of its file NOTRUN (default off)
//   --merge               keep the results of files not run now
//   --list                print the tests and exit
//   --verbose             print failing subtests; --show-output print the child's stdout/stderr
//   filter                substrings of file names; a leading '=' asks for the exact path
import fs from "node:fs";

import { parseOptions } from "./options.mjs";
import { runTests } from "./runner.mjs";
import { listTests, selectTests } from "./tests.mjs";

function usage(error) {
  console.error(error.message);
  process.exit(2);
}

let options;
try {
  options = parseOptions(process.argv.slice(2), {
    flags: ["merge", "list", "verbose", "show-output"],
  });
  if (!options.impl && !options.list) throw new Error("--impl is required");
} catch (error) {
  usage(error);
}

const tests = selectTests(listTests(options.root, options.dir), options.filters);
if (options.list) {
  for (const { file, long } of tests) console.log(file + (long ? " (long)" : ""));
  process.exit(0);
}

const results = new Map();
if (options.merge && fs.existsSync(options.out)) {
  for (const record of JSON.parse(fs.readFileSync(options.out, "utf8")))
    results.set(record.file, record);
}
const save = () => {
  const ordered = [...results.values()].sort((a, b) => (a.file < b.file ? -1 : 1));
  fs.writeFileSync(options.out, JSON.stringify(ordered, null, 1));
};

let passed = 0;
let total = 0;
await runTests(tests, options, record => {
  results.set(record.file, record);
  save();
  const passing = record.subtests.filter(({ status }) => status === "PASS").length;
  passed += passing;
  total += record.subtests.length;
  const why =
    record.status === "OK" ? "" : `  # ${(record.message ?? "").split("\n")[0].slice(0, 200)}`;
  console.log(
    `${record.status} ${passing}/${record.subtests.length} ${record.ms}ms ${record.file}${why}`,
  );
  if (!options.verbose) return;
  for (const { name, status, message } of record.subtests.filter(
    ({ status }) => status !== "PASS",
  )) {
    console.log(`    ${status} ${name}\n        ${(message ?? "").slice(0, 300)}`);
  }
});
save();
console.log(`${passed}/${total} subtests pass in ${tests.length} files`);
