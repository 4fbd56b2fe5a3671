"use strict";

// HTML §8.1.4.2 "clean up after running script" and §8.1.8 event handlers, on top of Node's
// EventTarget.
//
// Node's EventTarget calls all listeners of an event in one go. A browser performs a microtask
// checkpoint after each listener, if only the event loop is below it on the stack. Perfect
// negotiation depends on that. Therefore `addEventListener` of our interfaces registers a wrapper
// of the listener, which performs the checkpoint; `removeEventListener` removes the wrapper.

const { setMaxListeners } = require("node:events");
const { isObject } = require("./webidl.js");
const { runMicrotasks } = require("./microtasks.js");

const { addEventListener, removeEventListener, dispatchEvent } = EventTarget.prototype;

// The event that the event loop is dispatching, with nothing else on the stack; null if none is.
let current = null;

function microtaskCheckpoint() {
  for (;;) {
    try {
      runMicrotasks();
      return;
    } catch (error) {
      report(error);
    }
  }
}

// HTML §8.1.4.6 "report an exception": the process emits `uncaughtException`. It does so in a
// microtask, and therefore before the next task.
function report(error) {
  queueMicrotask(() => {
    throw error;
  });
}

// listener -> its wrapper. A listener has one wrapper only, so that EventTarget recognizes it when
// it is added again.
const wrappers = new WeakMap();

function wrap(listener) {
  let wrapper = wrappers.get(listener);
  if (wrapper === undefined) {
    wrapper = function (event) {
      try {
        if (typeof listener === "function") {
          listener.call(this, event);
        } else {
          listener.handleEvent(event);
        }
      } catch (error) {
        report(error);
      }
      if (event === current) microtaskCheckpoint();
    };
    wrappers.set(listener, wrapper);
  }
  return wrapper;
}

const overrides = {
  addEventListener(type, listener, options) {
    setMaxListeners(0, this);
    if (arguments.length < 2 || !isObject(listener))
      return Reflect.apply(addEventListener, this, arguments);
    return addEventListener.call(this, type, wrap(listener), options);
  },
  removeEventListener(type, listener, options) {
    if (arguments.length < 2 || !isObject(listener))
      return Reflect.apply(removeEventListener, this, arguments);
    return removeEventListener.call(this, type, wrappers.get(listener) ?? listener, options);
  },
};

// target -> event type -> EventHandler
const handlers = new WeakMap();

class EventHandler {
  constructor(value) {
    const handler = this;
    this.value = value;
    // §8.1.8.1 "the event handler processing algorithm".
    this.listener = function (event) {
      try {
        if (typeof handler.value === "function" && handler.value.call(this, event) === false)
          event.preventDefault();
      } catch (error) {
        report(error);
      }
      if (event === current) microtaskCheckpoint();
    };
  }
}

function setHandler(target, type, value) {
  let ofTarget = handlers.get(target);
  if (ofTarget === undefined) handlers.set(target, (ofTarget = new Map()));
  const handler = ofTarget.get(type);
  if (!isObject(value)) {
    // "deactivate an event handler"
    if (handler !== undefined) {
      removeEventListener.call(target, type, handler.listener);
      ofTarget.delete(type);
    }
  } else if (handler !== undefined) {
    handler.value = value;
  } else {
    const activated = new EventHandler(value);
    ofTarget.set(type, activated);
    addEventListener.call(target, type, activated.listener);
  }
}

// Gives the interface its `on…` attributes. `isInstance` says whether an object implements it.
function defineEventTarget(Interface, isInstance, ...types) {
  const check = value => {
    if (!isObject(value) || !isInstance(value))
      throw new TypeError(`not an instance of ${Interface.name}`);
    return value;
  };
  for (const type of types) {
    const attribute = `on${type}`;
    const { get, set } = Object.getOwnPropertyDescriptor(
      {
        get [attribute]() {
          return handlers.get(check(this))?.get(type)?.value ?? null;
        },
        set [attribute](value) {
          setHandler(check(this), type, value);
        },
      },
      attribute,
    );
    Object.defineProperty(Interface.prototype, attribute, {
      get,
      set,
      enumerable: true,
      configurable: true,
    });
  }
  for (const [name, value] of Object.entries(overrides)) {
    Object.defineProperty(Interface.prototype, name, { value, writable: true, configurable: true });
  }
}

// `isTrusted` is a property of each event itself (DOM §2.2, LegacyUnforgeable). It is false, for it
// was made by a script. Bun lets nobody change that.
const trusted = {
  get: {
    get isTrusted() {
      return true;
    },
  }.__lookupGetter__("isTrusted"),
  enumerable: true,
};

const canTrust = Reflect.defineProperty(new Event("event"), "isTrusted", trusted);

function trust(event) {
  return canTrust ? Object.defineProperty(event, "isTrusted", trusted) : event;
}

// DOM §2.9 "fire an event". `fromEventLoop`: only the event loop is below on the stack.
function fire(target, event, fromEventLoop) {
  const outer = current;
  current = fromEventLoop ? event : null;
  try {
    dispatchEvent.call(target, event);
  } finally {
    current = outer;
  }
}

module.exports = { microtaskCheckpoint, report, defineEventTarget, trust, fire };
