// Runs test files, each in a process of its own, and collects what they report.
import { spawn } from "node:child_process";
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { fileURLToPath } from "node:url";

const CHILD = fileURLToPath(new URL("child.mjs", import.meta.url));

// Statuses: testharness.js numbers them, wptrunner names them.
const HARNESS = ["OK", "ERROR", "TIMEOUT", "PRECONDITION_FAILED"];
const SUBTEST = ["PASS", "FAIL", "TIMEOUT", "NOTRUN", "PRECONDITION_FAILED"];

// A child that does not answer its own timeout has a blocked event loop.
const PATIENCE_MS = 10_000;
const KEPT_OUTPUT = 20_000;

/**
 * Runs all `tests`, `options.jobs` at a time, and calls `finished(record)` after each. A record is
 * `{file, status, message, ms, subtests: [{name, status, message}]}`.
 */
export async function runTests(tests, options, finished) {
  // Long tests begin first, so that none of them runs alone at the end.
  const queue = [...tests].sort((a, b) => Number(b.long) - Number(a.long));
  const work = async () => {
    for (let test; (test = queue.shift()); ) finished(await runTest(test, options));
  };
  await Promise.all(Array.from({ length: Math.max(1, options.jobs) }, work));
}

async function runTest(test, options) {
  const limit = 1000 * (test.long ? options["long-timeout"] : options.timeout);
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), "wpt-"));
  const report = path.join(folder, "report.ndjson");
  const started = Date.now();
  try {
    const task = {
      impl: path.resolve(options.impl),
      root: path.resolve(options.root),
      file: test.file,
      report,
      timeout: limit,
      subtestTimeout: 1000 * options["subtest-timeout"],
    };
    const end = await runChild(task, limit + PATIENCE_MS, options["show-output"]);
    return { file: test.file, ...interpret(readReport(report), end), ms: Date.now() - started };
  } finally {
    fs.rmSync(folder, { recursive: true, force: true });
  }
}

function runChild(task, limit, showOutput) {
  return new Promise(resolve => {
    const child = spawn(process.execPath, ["--expose-gc", CHILD, JSON.stringify(task)], {
      stdio: ["ignore", "pipe", "pipe"],
      env: { ...process.env, NODE_NO_WARNINGS: "1" },
    });
    let output = "";
    const collect = data => {
      if (output.length < KEPT_OUTPUT) output += data;
      if (showOutput) process.stderr.write(data);
    };
    child.stdout.on("data", collect);
    child.stderr.on("data", collect);
    let killed = false;
    const killer = setTimeout(() => {
      killed = true;
      child.kill("SIGKILL");
    }, limit);
    child.on("close", (code, signal) => {
      clearTimeout(killer);
      resolve({ code, signal, killed, output });
    });
  });
}

/** Complete lines only: a child that was killed may have left half of one. */
function readReport(file) {
  if (!fs.existsSync(file)) return [];
  const lines = fs.readFileSync(file, "utf8").split("\n");
  return lines.slice(0, -1).map(line => JSON.parse(line));
}

function interpret(lines, end) {
  const subtests = new Map();
  for (const line of lines.filter(({ type }) => type === "subtest")) subtests.set(line.index, line);
  const complete = lines.find(({ type }) => type === "complete");
  for (const subtest of complete?.subtests ?? []) subtests.set(subtest.index, subtest);

  const ordered = [...subtests.values()].sort((a, b) => a.index - b.index);
  return {
    ...harness(complete, end),
    subtests: ordered.map(({ name, status, message, done }) => ({
      name,
      status: done === false ? (end.killed ? "TIMEOUT" : "NOTRUN") : SUBTEST[status],
      message: message ?? null,
    })),
  };
}

function harness(complete, { code, signal, killed, output }) {
  if (complete) return { status: HARNESS[complete.status], message: complete.message ?? null };
  if (killed) return { status: "TIMEOUT", message: "killed by the runner (blocked event loop?)" };
  const message = `child ended: code ${code} signal ${signal}\n${output.slice(-2000)}`;
  return { status: "CRASH", message };
}
