// The command line that run.mjs and main.mjs share.
import os from "node:os";
import path from "node:path";

const DEFAULTS = {
  root: process.env.WPT_ROOT,
  dir: "webrtc",
  out: "results.json",
  jobs: 1,
  timeout: 30,
  "long-timeout": 60,
  "subtest-timeout": 0,
};

const NUMBERS = ["jobs", "timeout", "long-timeout", "subtest-timeout", "repeat"];
const PATHS = ["root", "out", "impl", "expectations"];

/**
 * Parses the command line: options with a value, `flags` without one, the rest as `filters`.
 * `defaults` take precedence over the runner's. Throws an error with a message for the user.
 */
export function parseOptions(args, { flags, defaults = {} }) {
  const options = { ...DEFAULTS, ...defaults, filters: [] };
  const rest = [...args];
  while (rest.length) {
    const argument = rest.shift();
    if (!argument.startsWith("--")) {
      options.filters.push(argument);
      continue;
    }
    const [name, inline] = argument.slice(2).split(/=(.*)/s);
    if (flags.includes(name)) {
      options[name] = true;
      continue;
    }
    if (!(name in options) && name !== "impl") throw new Error(`unknown option --${name}`);
    const value = inline ?? rest.shift();
    if (value === undefined) throw new Error(`--${name} needs a value`);
    options[name] = convert(name, value);
  }
  if (!options.root) throw new Error("--root is required: a web-platform-tests checkout");
  return options;
}

function convert(name, value) {
  // npm runs scripts in the package's folder, but users write paths relative to their own.
  if (PATHS.includes(name)) return path.resolve(process.env.INIT_CWD ?? ".", value);
  if (!NUMBERS.includes(name)) return value;
  const number = Number(value);
  if (!Number.isFinite(number) || number < 0) throw new Error(`--${name}: not a number: ${value}`);
  return number;
}

/** One file for each processor: a test mostly waits, but the connections inside it compute. */
export const jobsForThisMachine = () => Math.max(1, os.availableParallelism());
