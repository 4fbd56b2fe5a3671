"use strict";

// What `console.log` shows of an object: its attributes, as a browser's console does. Their getters
// are on prototypes, where Node's `util.inspect` does not look.

// Bun asks for it, too.
const custom = Symbol.for("nodejs.util.inspect.custom");
// Deno asks for that last, and its `EventTarget` and `Event` have this.
const customOfDeno = Symbol.for("Deno.privateCustomInspect");

// A description within another object shows its beginning, which has its session id and version.
const NESTED_STRING = 100;

const isHandler = name => name.startsWith("on");
const isObject = value => typeof value === "object" && value !== null;

// The attributes of an object, those of the farthest interface first. Event handlers that are not
// set say nothing.
function attributes(object) {
  const interfaces = [];
  let prototype = Object.getPrototypeOf(object);
  for (; prototype !== null; prototype = Object.getPrototypeOf(prototype)) {
    if (Object.hasOwn(prototype, custom)) interfaces.unshift(prototype);
  }
  const shown = object instanceof Event ? { type: object.type } : {};
  for (const prototype of interfaces) {
    for (const [name, { get }] of Object.entries(Object.getOwnPropertyDescriptors(prototype))) {
      if (get === undefined) continue;
      const value = get.call(object);
      if (!isHandler(name) || value !== null) shown[name] = value;
    }
  }
  // What the application has added, without what runtimes keep under symbols.
  return { ...shown, ...Object.fromEntries(Object.entries(object)) };
}

function inspectAttributes(depth, options, inspect) {
  const { name } = this.constructor;
  let shown;
  try {
    shown = attributes(this);
  } catch {
    // The prototype itself, which has no attributes.
    return `${name} {}`;
  }
  if (depth < 0) return `[${name}]`;
  const nested = Object.values(shown).some(isObject);
  const state = inspect(shown, {
    ...options,
    depth,
    maxStringLength: nested ? NESTED_STRING : options.maxStringLength,
  });
  return `${this instanceof Error ? this.stack : name} ${state}`;
}

// Gives the interface what is shown of its objects: its attributes, unless `show` says otherwise.
function defineInspection(Interface, show = inspectAttributes) {
  const methods = {
    [custom]: show,
    [customOfDeno](inspect, options) {
      return show.call(this, options.depth, options, inspect);
    },
  };
  for (const symbol of [custom, customOfDeno]) {
    const value = methods[symbol];
    Object.defineProperty(Interface.prototype, symbol, {
      value,
      writable: true,
      configurable: true,
    });
  }
}

module.exports = { defineInspection };
