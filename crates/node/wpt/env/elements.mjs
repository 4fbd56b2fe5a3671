// Elements that do nothing: nothing is drawn on a canvas.
import { define } from "./define.mjs";

export class Node extends EventTarget {}

class Element extends Node {
  style = {};
  children = [];
  attributes = {};
  parentElement = null;
  textContent = "";
  innerHTML = "";

  constructor(tag) {
    super();
    this.tagName = tag.toUpperCase();
  }

  appendChild(child) {
    this.children.push(child);
    child.parentElement = this;
    child.connected?.();
    return child;
  }

  append(...children) {
    for (const child of children) this.appendChild(child);
  }

  removeChild(child) {
    this.children = this.children.filter(other => other !== child);
    child.parentElement = null;
    return child;
  }

  remove() {
    this.parentElement?.removeChild(this);
  }

  setAttribute(name, value) {
    this.attributes[name] = String(value);
  }

  getAttribute(name) {
    return this.attributes[name] ?? null;
  }

  click() {
    this.dispatchEvent(new Event("click"));
  }
}

export class HTMLElement extends Element {}

export class HTMLCanvasElement extends HTMLElement {
  width = 300;
  height = 150;

  // Every pixel reads as transparent black.
  getContext() {
    return {
      canvas: this,
      fillStyle: "",
      fillRect() {},
      clearRect() {},
      drawImage() {},
      getImageData: (x, y, width, height) => ({
        width,
        height,
        data: new Uint8ClampedArray(4 * width * height),
      }),
    };
  }
}

export function installElements(media) {
  const all = [Node, Element, HTMLElement, HTMLCanvasElement, ...Object.values(media)];
  for (const element of all) define(element.name, element);
}
