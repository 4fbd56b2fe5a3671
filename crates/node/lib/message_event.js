"use strict";

// HTML §9.1 MessageEvent, as it is fired at channels. That of Node takes several times as long to make
// since version 22; this one is an instance of it for everyone who looks.

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

module.exports = { Message };
