"use strict";

// The addon. `connection.js` installs the functions that it calls.

const { existsSync } = require("node:fs");
const path = require("node:path");
const { packageOf } = require("./platforms.js");

const BUILD = `To build it, with Rust 1.89 or later and a C compiler:

  git clone https://github.com/peerconnection/peerconnection
  cd peerconnection/crates/node
  npm install && npm run build

and then, in your project: npm install /path/to/peerconnection/crates/node`;

const INSTALL =
  "Install again, with optional dependencies: `npm install --include=optional`. A lock " +
  "file that another system has written may lack it: delete it, and node_modules, before.";

function load() {
  // What `npm run build` has built.
  const built = path.join(__dirname, "../peerconnection.node");
  if (existsSync(built)) return require(built);

  const { platform, arch } = process;
  const name = packageOf(platform, arch);
  if (name === undefined)
    throw new Error(`peerconnection has no prebuilt addon for ${platform} ${arch}. ${BUILD}`);
  try {
    return require(name);
  } catch (cause) {
    if (cause.code === "MODULE_NOT_FOUND" && cause.message.includes(name))
      throw new Error(
        `peerconnection needs the package ${name}, which is not installed. ${INSTALL}\n\n${BUILD}`,
        { cause },
      );
    // Another C library, or one that is too old.
    throw new Error(
      `the addon of ${name} does not load on this system: ${cause.message}. ${BUILD}`,
      { cause },
    );
  }
}

module.exports = load();
