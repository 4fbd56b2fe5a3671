// Frames: a window object of their own, but the realm and the origin of the page.
import fs from "node:fs";
import path from "node:path";

import { fireError, fireMessage, messageEvent } from "./events.mjs";
import { HTMLElement } from "./elements.mjs";
import { messageTo } from "./messages.mjs";

const SCRIPT = /<script[^>]*>([\s\S]*?)<\/script>/gi;

export function frameElement(root, hooks) {
  return class HTMLIFrameElement extends HTMLElement {
    // Called when the frame becomes part of the document.
    connected() {
      const frame = frameWindow(() => this.parentElement !== null, hooks);
      this.contentWindow = frame;
      setTimeout(() => {
        for (const [, code] of this.#markup().matchAll(SCRIPT)) run(code, frame);
        const event = new Event("load");
        this.dispatchEvent(event);
        this.onload?.(event);
      }, 0);
    }

    #markup() {
      if (this.srcdoc !== undefined) return this.srcdoc;
      const { pathname } = new URL(this.src, globalThis.location.href);
      return fs.readFileSync(path.join(root, pathname), "utf8");
    }
  };
}

function frameWindow(isConnected, hooks) {
  const bus = new EventTarget();
  const frame = {
    top: globalThis,
    onmessage: null,
    addEventListener: bus.addEventListener.bind(bus),
    removeEventListener: bus.removeEventListener.bind(bus),
    parent: { postMessage: messageTo(data => fireMessage(data, frame), hooks) },
    postMessage: messageTo(data => {
      if (!isConnected()) return;
      const event = messageEvent(data, globalThis);
      bus.dispatchEvent(event);
      frame.onmessage?.(event);
    }, hooks),
  };
  frame.window = frame.self = frame;
  return frame;
}

function run(code, frame) {
  try {
    new Function("window", "self", "parent", code)(frame, frame, frame.parent);
  } catch (error) {
    fireError(error);
  }
}
