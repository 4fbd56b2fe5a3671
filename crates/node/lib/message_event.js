"use strict";

// HTML §9.1 MessageEvent, as it is fired at channels. Since version 22, Node's own takes several
// times as long to construct. This one has its prototype, so that `instanceof` and the like see no
// difference.

const { defineInspection } = require("./inspect.js");

class Message extends Event {
  #data;

  constructor(data) {
    super("message");
    this.#data = data;
  }

  get data() {
    return this.#data;
  }
  get origin() {
    return "";
  }
  get lastEventId() {
    return "";
  }
  get source() {
    return null;
  }
  get ports() {
    return noPorts;
  }
}
const noPorts = Object.freeze([]);

const { prototype } = Message;
delete prototype.constructor;
for (const key of Object.getOwnPropertyNames(prototype))
  Object.defineProperty(prototype, key, { enumerable: true });
Object.defineProperty(prototype, "isTrusted", {
  get() {
    return true;
  },
  enumerable: true,
});
Object.setPrototypeOf(prototype, MessageEvent.prototype);
defineInspection(Message);

module.exports = { Message };
