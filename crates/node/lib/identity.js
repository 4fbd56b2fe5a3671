"use strict";

// Each object of the addon has one JavaScript object, for as long as JavaScript holds that one.

// key -> WeakRef
const objects = new Map();

// By the time this runs, a new object may have the key of the collected one.
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
