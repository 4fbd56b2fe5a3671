// Builds the addon from the workspace and puts it beside package.json, where lib/native.js loads
// it. `--debug`: without optimisation.
import { execFileSync, spawnSync } from "node:child_process";
import { copyFileSync, renameSync } from "node:fs";
import path from "node:path";
import { fileURLToPath } from "node:url";

const here = path.dirname(fileURLToPath(import.meta.url));
const debug = process.argv.includes("--debug");
const cargo = process.env.CARGO ?? "cargo";

const build = ["build", ...(debug ? [] : ["--release"]), "-p", "peerconnection-node"];
const { status, signal, error } = spawnSync(cargo, build, { cwd: here, stdio: "inherit" });
if (status !== 0) {
  // What cargo said stands last, without a stack of this script below it.
  console.error(`${cargo} ${build.join(" ")}: ${error?.message ?? signal ?? `status ${status}`}`);
  process.exit(1);
}

const metadata = execFileSync(cargo, ["metadata", "--format-version", "1", "--no-deps"], {
  cwd: here,
  maxBuffer: 1 << 28,
});
const library =
  {
    darwin: "libpeerconnection_node.dylib",
    win32: "peerconnection_node.dll",
  }[process.platform] ?? "libpeerconnection_node.so";
const built = path.join(
  JSON.parse(metadata).target_directory,
  debug ? "debug" : "release",
  library,
);

// Renamed into place: a process that has loaded the old addon keeps that file unchanged.
const addon = path.join(here, "peerconnection.node");
copyFileSync(built, `${addon}.new`);
renameSync(`${addon}.new`, addon);
console.log(path.relative(process.cwd(), addon));
