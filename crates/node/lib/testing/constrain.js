"use strict";

// mediacapture-main §11 "SelectSettings", for devices that support every value within their
// capabilities.

const { DOMString, needArguments } = require("../webidl.js");
const { defineInterface } = require("../interface.js");

// §7.1
class OverconstrainedError extends DOMException {
  #constraint;

  constructor(constraint, message = "") {
    needArguments(arguments, 1, "OverconstrainedError");
    const converted = DOMString(constraint);
    super(DOMString(message), "OverconstrainedError");
    this.#constraint = converted;
  }

  get constraint() {
    return this.#constraint;
  }
}
defineInterface(OverconstrainedError);

const list = value => (Array.isArray(value) ? value : [value]);
const isRange = capability => typeof capability === "object" && !Array.isArray(capability);
const clamp = (value, { min, max }) => Math.min(Math.max(value, min), max);

// The part of a capability that satisfies `{ min, max, exact }`; undefined if none does.
function narrow(capability, { min = -Infinity, max = Infinity, exact }) {
  if (isRange(capability)) {
    const range = {
      min: Math.max(capability.min, exact ?? min),
      max: Math.min(capability.max, exact ?? max),
    };
    return range.min <= range.max ? range : undefined;
  }
  if (exact === undefined) return capability;
  const left = list(exact).filter(value => list(capability).includes(value));
  return left.length > 0 ? left : undefined;
}

// The value nearest to the ideal one, or else to the device's present one.
function nearest(capability, ideal, present) {
  if (isRange(capability)) return clamp(typeof ideal === "number" ? ideal : present, capability);
  const values = list(capability);
  return (
    list(ideal).find(value => values.includes(value)) ??
    (values.includes(present) ? present : values[0])
  );
}

// A bare value is ideal in the basic set, exact in an advanced one (§11).
function normalize(constraint, bare) {
  return typeof constraint === "object" && !Array.isArray(constraint)
    ? constraint
    : { [bare]: constraint };
}

function settle(capabilities, settings, { advanced = [], ...basic }) {
  const possible = { ...capabilities };
  const ideals = {};
  for (const [name, given] of Object.entries(basic)) {
    if (!(name in possible)) continue;
    const constraint = normalize(given, "ideal");
    const left = narrow(possible[name], constraint);
    if (left === undefined) throw new OverconstrainedError(name, `${name} cannot be satisfied`);
    possible[name] = left;
    ideals[name] = constraint.ideal;
  }
  // Advanced sets apply whole or not at all.
  for (const set of advanced) {
    const narrowed = Object.entries(set).map(([name, given]) => [
      name,
      name in possible ? narrow(possible[name], normalize(given, "exact")) : undefined,
    ]);
    if (narrowed.every(([, left]) => left !== undefined))
      Object.assign(possible, Object.fromEntries(narrowed));
  }
  const result = {};
  for (const name of Object.keys(settings))
    result[name] = nearest(possible[name], ideals[name], settings[name]);
  return result;
}

module.exports = { OverconstrainedError, settle };
