"use strict";

// webrtc-pc §6.2 "send() algorithm" step 4, for Blobs. A Blob is read in the background. Messages
// that are sent on the same channel in the meantime wait here, in their order: they count as
// buffered, and `close()` waits for them as it does for all buffered data.

class BlobQueue {
  #channel;
  #items = [];
  #emptied;
  size = 0;
  // Whether `close()` was called.
  closing = false;

  // Calls `emptied` once no message waits any more.
  constructor(channel, emptied) {
    this.#channel = channel;
    this.#emptied = emptied;
  }

  // Throws whatever `send()` of the addon would throw for this message.
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
        // The file behind the Blob is gone. The specification tells nobody.
        content = undefined;
      }
      this.#items.shift();
      this.size -= size;
      try {
        if (typeof content === "string") this.#channel.sendString(content);
        else if (content !== undefined) this.#channel.binarySender()(content);
      } catch {
        // The channel has closed in the meantime; its buffered data is lost.
      }
    }
    this.#emptied();
  }
}

module.exports = { BlobQueue };
