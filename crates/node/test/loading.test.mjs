// What `import` says where there is no addon: copies of lib/native.js with none beside them.
import assert from "node:assert/strict";
import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import path from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";

import platforms from "../lib/platforms.js";

const lib = fileURLToPath(new URL("../lib", import.meta.url));

/** Loads lib/native.js of a package without addon, on this platform, with these packages. */
function load(context, platform, packages = {}) {
  const root = mkdtempSync(path.join(tmpdir(), "peerconnection-loading-"));
  context.after(() => rmSync(root, { recursive: true }));
  mkdirSync(path.join(root, "lib"));
  for (const file of ["native.js", "platforms.js"])
    cpSync(path.join(lib, file), path.join(root, "lib", file));
  for (const [name, text] of Object.entries(packages)) {
    const folder = path.join(root, "node_modules", name);
    mkdirSync(folder, { recursive: true });
    writeFileSync(path.join(folder, "index.js"), text);
  }
  const before = ["platform", "arch"].map(key => [
    key,
    Object.getOwnPropertyDescriptor(process, key),
  ]);
  for (const [key, descriptor] of before)
    Object.defineProperty(process, key, { ...descriptor, value: platform[key] });
  try {
    return createRequire(path.join(root, "lib/index.cjs"))("./native.js");
  } finally {
    for (const [key, descriptor] of before) Object.defineProperty(process, key, descriptor);
  }
}

const linux = { platform: "linux", arch: "x64" };
const name = platforms.packageOf("linux", "x64");

test("the addon comes from the package of the platform", context => {
  const packages = { [name]: "module.exports = { isAddon: true };" };
  assert.deepEqual(load(context, linux, packages), { isAddon: true });
});

test("a platform without prebuilt addon is named, with the way to build one", context => {
  assert.throws(
    () => load(context, { platform: "linux", arch: "riscv64" }),
    /no prebuilt addon for linux riscv64\. To build it, with Rust [\d.]+ .*npm run build/s,
  );
});

test("a package that is not installed is named, with the way to install it", context => {
  assert.throws(
    () => load(context, linux),
    new RegExp(`needs the package ${name}, which is not installed\\. .*--include=optional`, "s"),
  );
});

test("an addon that does not load says why", context => {
  const packages = { [name]: "throw new Error('GLIBC_2.35 not found');" };
  assert.throws(
    () => load(context, linux, packages),
    error => {
      assert.match(error.message, /does not load on this system: GLIBC_2\.35 not found/);
      assert.equal(error.cause.message, "GLIBC_2.35 not found");
      return true;
    },
  );
});
