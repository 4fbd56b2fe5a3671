// What a window has besides its document, on Node's own global object.
import fs from "node:fs";
import path from "node:path";

import { define } from "./define.mjs";
import { installWindowEvents } from "./events.mjs";

export function installWindow({ root, file, title }) {
  // testharness.js and idlharness.js ask whether there is one.
  define("Window", class Window extends EventTarget {});
  for (const name of ["self", "window", "top", "parent"]) define(name, globalThis);
  if (title) define("META_TITLE", title);
  installWindowEvents();
  define("isSecureContext", true);
  const location = locationOf(file);
  define("location", location);
  define("origin", location.origin);
  if (!globalThis.navigator) define("navigator", { userAgent: `Node.js/${process.versions.node}` });
  if (!globalThis.ErrorEvent) define("ErrorEvent", ErrorEvent);
  define("FileReader", FileReader);
  define("requestAnimationFrame", callback => setTimeout(() => callback(performance.now()), 16));
  define("cancelAnimationFrame", clearTimeout);
  define("fetch", fetchUnder(root, location));
}

function locationOf(file) {
  const url = new URL(`https://localhost/${file.replace(/\.(window|any)\.js$/, ".$1.html")}`);
  const { href, origin, protocol, host, hostname, port, pathname } = url;
  const toString = () => href;
  return { href, origin, protocol, host, hostname, port, pathname, search: "", hash: "", toString };
}

/** Files of the checkout; nothing else is reachable. */
function fetchUnder(root, location) {
  return async resource => {
    const url = new URL(resource, location.href);
    if (url.host !== location.host) throw new TypeError("fetch failed");
    try {
      return new Response(fs.readFileSync(path.join(root, decodeURIComponent(url.pathname))));
    } catch {
      return new Response("", { status: 404 });
    }
  };
}

class ErrorEvent extends Event {
  constructor(type, init = {}) {
    super(type, init);
    Object.assign(this, { message: "", filename: "", lineno: 0, colno: 0, error: null }, init);
  }
}

class FileReader extends EventTarget {
  result = null;
  error = null;
  readyState = 0;
  onload = null;
  onerror = null;
  onloadend = null;

  readAsArrayBuffer(blob) {
    this.#read(blob.arrayBuffer());
  }

  readAsText(blob) {
    this.#read(blob.text());
  }

  async #read(promise) {
    this.readyState = 1;
    let type = "load";
    try {
      this.result = await promise;
    } catch (error) {
      this.error = error;
      type = "error";
    }
    this.readyState = 2;
    this.#fire(type);
    this.#fire("loadend");
  }

  #fire(type) {
    const event = new Event(type);
    this.dispatchEvent(event);
    this[`on${type}`]?.(event);
  }
}
