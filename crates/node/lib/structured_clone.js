"use strict";

// HTML §2.7 StructuredSerialize, StructuredDeserialize for RTCCertificate (webrtc-pc §4.9.2).
// Node's implementation knows no platform objects except its own.

const { isCertificate, cloneCertificate } = require("./rtc_certificate.js");
const { isObject, needArguments } = require("./webidl.js");

const original = globalThis.structuredClone;

// Certificates, and the objects that can contain one, are cloned here. Node's function clones all
// other values in a single call.
class Cloner {
  #copies = new Map();
  #leaves = [];
  found = false;

  // Returns a function that makes the clone, to be called once the leaves are cloned.
  plan(value) {
    if (!isObject(value) || typeof value === "function") return this.#leaf(value);
    const seen = this.#copies.get(value);
    if (seen !== undefined) return seen;
    if (isCertificate(value)) {
      this.found = true;
      const clone = cloneCertificate(value);
      return this.#remember(value, () => clone);
    }
    if (Array.isArray(value)) return this.#properties(value, new Array(value.length));
    if (value instanceof Map) return this.#map(value);
    if (value instanceof Set) return this.#set(value);
    const prototype = Object.getPrototypeOf(value);
    if (prototype === Object.prototype || prototype === null) return this.#properties(value, {});
    return this.#remember(value, this.#leaf(value));
  }

  run(value, options) {
    const make = this.plan(value);
    if (!this.found) return original(value, options);
    this.cloned = original(this.#leaves, options);
    return make();
  }

  #leaf(value) {
    const index = this.#leaves.push(value) - 1;
    return () => this.cloned[index];
  }

  #remember(value, make) {
    this.#copies.set(value, make);
    return make;
  }

  // Fills the copy when its function is called first. A value that contains itself calls it again
  // from within, and gets the copy as it is.
  #container(value, copy, fill) {
    let filled = false;
    return this.#remember(value, () => {
      if (!filled) {
        filled = true;
        fill();
      }
      return copy;
    });
  }

  #properties(value, copy) {
    let entries;
    const make = this.#container(value, copy, () => {
      for (const [key, member] of entries) {
        Object.defineProperty(copy, key, {
          value: member(),
          writable: true,
          enumerable: true,
          configurable: true,
        });
      }
    });
    entries = Object.keys(value).map(key => [key, this.plan(value[key])]);
    return make;
  }

  #map(value) {
    const copy = new Map();
    let entries;
    const make = this.#container(value, copy, () => {
      for (const [key, member] of entries) copy.set(key(), member());
    });
    entries = [...value].map(([key, member]) => [this.plan(key), this.plan(member)]);
    return make;
  }

  #set(value) {
    const copy = new Set();
    let members;
    const make = this.#container(value, copy, () => {
      for (const member of members) copy.add(member());
    });
    members = [...value].map(member => this.plan(member));
    return make;
  }
}

function structuredClone(value, options) {
  needArguments(arguments, 1, "structuredClone");
  return new Cloner().run(value, options);
}

module.exports = { structuredClone };
