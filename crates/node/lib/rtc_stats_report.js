"use strict";

// webrtc-pc §8.3 RTCStatsReport: `readonly maplike<DOMString, object>` (Web IDL §3.7.12)

const { DOMString, callback, needArguments } = require("./webidl.js");
const { internal, onlyInternal, defineInterface } = require("./interface.js");
const { defineInspection } = require("./inspect.js");

let inspectReport;

class RTCStatsReport {
  #entries;

  constructor(token = undefined, entries) {
    onlyInternal(token);
    this.#entries = new Map(entries);
  }

  get size() {
    return this.#entries.size;
  }

  entries() {
    return this.#entries.entries();
  }
  keys() {
    return this.#entries.keys();
  }
  values() {
    return this.#entries.values();
  }

  forEach(callbackFn) {
    const entries = this.#entries;
    needArguments(arguments, 1, "forEach");
    const invoke = callback(callbackFn, "callbackFn");
    for (const [key, value] of entries) invoke.call(arguments[1], value, key, this);
  }

  get(key) {
    const entries = this.#entries;
    needArguments(arguments, 1, "get");
    return entries.get(DOMString(key));
  }

  has(key) {
    const entries = this.#entries;
    needArguments(arguments, 1, "has");
    return entries.has(DOMString(key));
  }

  static {
    inspectReport = function (depth, options, inspect) {
      if (!(#entries in this)) return "RTCStatsReport {}";
      if (depth < 0) return "[RTCStatsReport]";
      return `RTCStatsReport of ${inspect(this.#entries, { ...options, depth })}`;
    };
  }
}
defineInterface(RTCStatsReport);
defineInspection(RTCStatsReport, inspectReport);
Object.defineProperty(RTCStatsReport.prototype, Symbol.iterator, {
  value: RTCStatsReport.prototype.entries,
  writable: true,
  configurable: true,
});

function newStatsReport(entries) {
  return new RTCStatsReport(internal, entries);
}

module.exports = { RTCStatsReport, newStatsReport };
