"use strict";

// webrtc-pc §6.2 "send() algorithm" step 4, for Blobs: they are read in the background. What is sent on the same
// channel meanwhile waits here in its order; it counts as buffered, and `close()` waits for it as for
// everything that is buffered.

class BlobQueue {
  #channel;
  #items = [];
  #emptied;
  size = 0;
  // `close()` was called.
  closing = false;

  // `emptied` is called when nothing waits any more.
  constructor(channel, emptied) {
    this.#channel = channel;
    this.#emptied = emptied;
  }

  // Throws what the addon would if `data` was sent at once.
  push(data) {
    const size =
      typeof data === "string" ? Buffer.byteLength(data) : (data.size ?? data.byteLength);
    if (this.closing) throw new DOMException("the channel is closing", "InvalidStateError");
    this.#channel.checkSend(size, this.size);
    this.size += size;
    this.#items.push({ data, size });
    if (this.#items.length === 1) this.#drain();
  }

  async #drain() {
    while (this.#items.length > 0) {
      const { data, size } = this.#items[0];
      let content = data;
      try {
        if (typeof data === "object" && !(data instanceof Uint8Array))
          content = new Uint8Array(await data.arrayBuffer());
      } catch {
        // A file that is gone: the text has nobody to tell.
        content = undefined;
      }
      this.#items.shift();
      this.size -= size;
      try {
        if (typeof content === "string") this.#channel.sendString(content);
        else if (content !== undefined) this.#channel.binarySender()(content);
      } catch {
        // The channel has closed in the meantime: what it had buffered is lost.
      }
    }
    this.#emptied();
  }
}

module.exports = { BlobQueue };
