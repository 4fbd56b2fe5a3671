"use strict";

// One JavaScript object for each object of the addon, for as long as JavaScript holds it.

// key -> WeakRef
const objects = new Map();

// A key may have been given to a new object when the old one's death is told.
const collected = new FinalizationRegistry(({ key, reference }) => {
  if (objects.get(key) === reference) objects.delete(key);
});

function known(key) {
  return objects.get(key)?.deref();
}

function remember(key, object) {
  const reference = new WeakRef(object);
  objects.set(key, reference);
  collected.register(object, { key, reference });
}

module.exports = { known, remember };
