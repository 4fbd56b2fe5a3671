"use strict";

// Dumps: what connections did, as chrome://webrtc-internals writes it. No specification of the W3C
// has what is here.

const { defaulting, dictionary, integer, nullable, unrestrictedDouble } = require("./webidl.js");

const DumpOptions = nullable(
  dictionary("DumpOptions", {
    statisticsInterval: unrestrictedDouble,
    logBytes: defaulting(integer(32, { mode: "enforce range" }), 1 << 20),
    samples: defaulting(integer(32, { mode: "enforce range" }), 1000),
  }),
);

let options = null;

/** Lets connections that are made from now on remember what they do, or not any more. */
function recordDumps(value = {}) {
  options = DumpOptions(value, "options");
}

/** The options of a connection that is being made. */
function dumpOptions() {
  return options;
}

/** One file of the files of several connections; null without any. */
function joined(files) {
  const dumps = files.filter(file => file !== null).map(file => JSON.parse(file));
  if (dumps.length === 0) return null;
  const last = dumps.at(-1);
  const connections = Object.assign({}, ...dumps.map(({ PeerConnections }) => PeerConnections));
  return JSON.stringify({ ...last, PeerConnections: connections });
}

module.exports = { recordDumps, dumpOptions, joined };
