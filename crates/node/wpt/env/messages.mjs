// `postMessage()` between windows: a clone, in a task of its own.

/** A `postMessage` function that gives a clone to `deliver`. */
export const messageTo = (deliver, hooks) =>
  function postMessage(data) {
    const clone = cloneMessage(data, hooks);
    setTimeout(() => deliver(clone), 0);
  };

// Node's own algorithm does not know the implementation's platform objects.
function cloneMessage(value, hooks) {
  if (isPlain(value)) return structuredClone(value);
  if (hooks.structuredClone) return hooks.structuredClone(value);
  throw new DOMException("object could not be cloned", "DataCloneError");
}

function isPlain(value) {
  if (value === null || typeof value !== "object") return true;
  if (ArrayBuffer.isView(value) || value instanceof ArrayBuffer) return true;
  return [Object.prototype, Array.prototype, null].includes(Object.getPrototypeOf(value));
}
