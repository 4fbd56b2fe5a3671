// The packages of the folder `packages`, installed as an application would, in several runtimes.
//
//   node test/runtimes/main.mjs [--required] [NAME...]
//
// NAME is one of node20, node22, node24, bun, deno; all of them without any. npm brings those that
// it has. Another is skipped, with words, or fails if it is required.
import { spawnSync } from "node:child_process";
import { copyFileSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { fileURLToPath } from "node:url";

const here = path.dirname(fileURLToPath(import.meta.url));
const packages = path.join(here, "../../packages");
const windows = process.platform === "win32";

const deno = ["run", "--allow-ffi", "--allow-read"];
const RUNTIMES = {
  node20: { install: "node@20", program: "node", args: [] },
  node22: { install: "node@22", program: "node", args: [] },
  node24: { install: "node@24", program: "node", args: [] },
  bun: { install: "bun@1.4", program: "bun", args: ["run"] },
  deno: { install: "deno@2.9", program: "deno", args: deno },
};

const required = process.argv.includes("--required");
const asked = process.argv.slice(2).filter(argument => argument !== "--required");
const unknown = asked.find(name => !Object.hasOwn(RUNTIMES, name));
if (unknown !== undefined) {
  console.error(`${unknown} is none of ${Object.keys(RUNTIMES).join(", ")}`);
  process.exit(2);
}
const names = asked.length > 0 ? asked : Object.keys(RUNTIMES);

function run(program, args, cwd, timeout) {
  const options = { cwd, encoding: "utf8", timeout, shell: windows };
  const { status, signal, error, stdout, stderr } = spawnSync(program, args, options);
  const said = `${stdout ?? ""}${stderr ?? ""}`.trim();
  if (error === undefined && status === 0) return { said };
  return { failure: `${error?.message ?? `ended with ${signal ?? status}`}\n${said}` };
}

function npm(cwd, ...what) {
  const quiet = ["--no-audit", "--no-fund", "--no-package-lock", "--loglevel=error"];
  return run("npm", ["install", ...quiet, ...what], cwd, 300_000);
}

/** An empty project. */
function project(root, name) {
  const folder = path.join(root, name);
  mkdirSync(folder);
  writeFileSync(path.join(folder, "package.json"), `{ "private": true, "type": "module" }\n`);
  return folder;
}

const root = mkdtempSync(path.join(tmpdir(), "peerconnection-runtimes-"));
let failed = 0;
try {
  const tarballs = readdirSync(packages).filter(file => file.endsWith(".tgz"));
  const app = project(root, "app");
  const installed = npm(app, ...tarballs.map(file => path.join(packages, file)));
  if (installed.failure) throw new Error(`the packages do not install: ${installed.failure}`);
  copyFileSync(path.join(here, "smoke.mjs"), path.join(app, "smoke.mjs"));

  for (const name of names) {
    const { install, program, args } = RUNTIMES[name];
    const folder = project(root, name);
    const bin = path.join(folder, "node_modules/.bin", windows ? `${program}.cmd` : program);
    const { failure: why } = npm(folder, install);
    const { said: version, failure: broken } = why ? {} : run(bin, ["--version"], folder, 60_000);
    if (why ?? broken) {
      console.log(
        `${name}: ${required ? "FAILED" : "skipped"}: npm has no ${install} here: ${why ?? broken}`,
      );
      if (required) failed += 1;
      continue;
    }
    const { said, failure } = run(bin, [...args, "smoke.mjs"], app, 60_000);
    const ok = failure === undefined && said.split("\n").includes("ok");
    console.log(`${name} (${version.split("\n")[0]}): ${ok ? "ok" : `FAILED: ${failure ?? said}`}`);
    if (!ok) failed += 1;
  }
} finally {
  rmSync(root, { recursive: true, force: true });
}
process.exitCode = failed > 0 ? 1 : 0;
