/** A property as Web IDL gives them to interfaces: not enumerable. */
export const define = (name, value, object = globalThis) =>
  Object.defineProperty(object, name, {
    value,
    writable: true,
    configurable: true,
    enumerable: false,
  });
