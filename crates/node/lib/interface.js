"use strict";

// Web IDL §3.7: makes an interface out of a class.

const { defineInspection } = require("./inspect.js");

// The first argument of constructors that only this layer may call. Their parameter has a default
// value, so that `length` is 0, as it is for an interface without a constructor.
const internal = Symbol("internal");

function onlyInternal(token) {
  if (token !== internal) throw new TypeError("Illegal constructor");
}

const enumerable = (object, key) => {
  const descriptor = Object.getOwnPropertyDescriptor(object, key);
  descriptor.enumerable = true;
  Object.defineProperty(object, key, descriptor);
};

// Members are enumerable (§3.7.6, §3.7.7); `Symbol.toStringTag` is the name (§3.7.3).
function defineInterface(Interface) {
  const { prototype } = Interface;
  for (const key of Object.getOwnPropertyNames(prototype)) {
    if (key !== "constructor") enumerable(prototype, key);
  }
  for (const key of Object.getOwnPropertyNames(Interface)) {
    if (key !== "prototype" && key !== "length" && key !== "name") enumerable(Interface, key);
  }
  Object.defineProperty(prototype, Symbol.toStringTag, {
    value: Interface.name,
    configurable: true,
  });
  defineInspection(Interface);
}

// §3.7.7, "create an operation function": if an operation returns a promise, its exceptions become
// rejections.
function promised(steps) {
  try {
    return steps();
  } catch (error) {
    return Promise.reject(error);
  }
}

module.exports = { internal, onlyInternal, defineInterface, promised };
