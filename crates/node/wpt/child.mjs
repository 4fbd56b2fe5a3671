// One test file in one process. Its scripts run as classic scripts in the main realm: the tests
// compare TypeError, DOMException and ArrayBuffer with the implementation's own.
import fs from "node:fs";
import path from "node:path";
import { pathToFileURL } from "node:url";
import vm from "node:vm";

import { installDocument } from "./env/document.mjs";
import { fireError, fireLoad, fireRejection } from "./env/events.mjs";
import { installImplementation } from "./env/implementation.mjs";
import { installWindow } from "./env/window.mjs";
import { parsePage, substitute } from "./page.mjs";

const task = JSON.parse(process.argv[2]);
const page = parsePage(task.root, task.file);

const read = file => fs.readFileSync(path.join(task.root, file), "utf8");

function runScript({ code, name, line = 0 }) {
  try {
    new vm.Script(code, { filename: name, lineOffset: line }).runInThisContext();
  } catch (error) {
    fireError(error, name);
  }
}

process.on("uncaughtException", error => fireError(error));
process.on("unhandledRejection", (reason, promise) => fireRejection(reason, promise));

const implementation = await import(pathToFileURL(task.impl));
installWindow({ root: task.root, file: task.file, title: page.title });
const hooks = await installImplementation(implementation);

// There is no document yet, so testharness.js takes this for a JavaScript shell.
runScript({ code: harness(), name: "resources/testharness.js" });
installDocument({ root: task.root, file: task.file, title: page.title, ids: page.ids, hooks });
reportTo(fs.openSync(task.report, "a"));
setTimeout(() => globalThis.timeout(), task.timeout);
// A pending promise does not keep a process alive; this does.
setInterval(() => {}, 2 ** 30);

for (const script of page.scripts) {
  if (script.code !== undefined) runScript(script);
  else if (!isHarness(script.src)) runFile(script.src);
}
fireLoad();

function runFile(file) {
  let code;
  try {
    code = read(file);
  } catch (error) {
    fireError(error, file);
    return;
  }
  runScript({ code: file.includes(".sub.") ? substitute(code) : code, name: file });
}

function isHarness(file) {
  return /^resources\/testharness(report)?\.js$|^resources\/testdriver/.test(file);
}

/** Two edits: unnamed tests have the title of the page as in browsers, and `--subtest-timeout`. */
function harness() {
  let code = read("resources/testharness.js");
  const replace = (from, to) => {
    if (!code.includes(from)) throw new Error(`testharness.js has no ${from}`);
    code = code.replace(from, to);
  };
  replace('return "Untitled" + suffix;', 'return (self.META_TITLE || "Untitled") + suffix;');
  if (task.subtestTimeout) replace("test_timeout:null", `test_timeout:${task.subtestTimeout}`);
  return code;
}

function reportTo(descriptor) {
  const write = value => fs.writeSync(descriptor, `${JSON.stringify(value)}\n`);
  const pack = ({ index, name, status, message }) => ({ index, name, status, message });
  globalThis.add_test_state_callback(test =>
    write({ type: "subtest", done: false, ...pack(test) }),
  );
  globalThis.add_result_callback(test => write({ type: "subtest", ...pack(test) }));
  globalThis.add_completion_callback((tests, { status, message }) => {
    write({ type: "complete", status, message, subtests: tests.map(pack) });
    // Leaves the harness time for its last steps. Open connections do not delay the end.
    setTimeout(() => process.reallyExit(0), 20);
  });
}
