// A document that has the page's elements with an id, and can make others.
import { define } from "./define.mjs";
import { HTMLCanvasElement, HTMLElement, Node, installElements } from "./elements.mjs";
import { fireMessage } from "./events.mjs";
import { frameElement } from "./iframe.mjs";
import { mediaElements } from "./media_elements.mjs";
import { messageTo } from "./messages.mjs";

export function installDocument({ root, title, ids, hooks }) {
  const media = mediaElements(hooks);
  installElements(media);
  const HTMLIFrameElement = frameElement(root, hooks);
  define("HTMLIFrameElement", HTMLIFrameElement);
  define(
    "postMessage",
    messageTo(data => fireMessage(data, globalThis), hooks),
  );
  define("test_driver", new Proxy({}, { get: () => () => Promise.resolve() }));

  const interfaces = {
    video: media.HTMLVideoElement,
    audio: media.HTMLAudioElement,
    canvas: HTMLCanvasElement,
    iframe: HTMLIFrameElement,
  };
  const create = name => {
    const tag = String(name).toLowerCase();
    return hooks.createElement?.(tag) ?? new (interfaces[tag] ?? HTMLElement)(tag);
  };
  const elements = new Map(ids.map(({ tag, id }) => [id, Object.assign(create(tag), { id })]));
  // Inline scripts use elements by their id as if they were variables.
  for (const [id, element] of elements) if (!(id in globalThis)) define(id, element);

  class Document extends Node {
    readyState = "loading";
    title = title;
    hidden = false;
    visibilityState = "visible";
    documentElement = create("html");
    head = create("head");
    body = create("body");
    createElement = create;
    createElementNS = (_, name) => create(name);
    createTextNode = text => Object.assign(new Node(), { data: text, textContent: text });
    getElementById = id => elements.get(id) ?? null;
    getElementsByTagName = () => [];
    querySelector = selector =>
      selector[0] === "#" ? this.getElementById(selector.slice(1)) : null;
    querySelectorAll = () => [];
  }
  define("Document", Document);
  define("document", new Document());
}
