"use strict";

// What stands behind an RTCPeerConnection: the addon's connection with its outcomes and events, and the
// objects that live as long as they belong to the connection.

const native = require("./native.js");
const eventLoop = require("./event_loop.js");
const { report, trust, fire } = require("./event_target.js");
const { deliveries } = require("./deliveries.js");
const { RTCError } = require("./rtc_error.js");
const { newDataChannel } = require("./rtc_data_channel.js");
const { transceiverOf, refreshTransceiver } = require("./rtc_rtp_transceiver.js");
const { sctpTransportOf } = require("./rtc_sctp_transport.js");
const { newStatsReport } = require("./rtc_stats_report.js");
const { streamOf, syncTracks } = require("./media_stream.js");

const ignore = () => {};
const flush = (native, deliver) => native.flush(deliver);
const runMicrotask = (native, deliver) => native.runMicrotask(deliver);
const runTasks = (native, deliver, count) => native.runTasks(count, deliver);

class Connection {
  #operations = new Map();
  #gathering = new Map();
  // By key. Channels until their `close`, transceivers while they are in the set, remote streams while
  // they have tracks.
  #channels = new Map();
  #transceivers = new Map();
  #streams = new Map();
  #sctp = null;
  // Another one whenever the addon may have changed something by itself.
  step = 0;
  // The addon is delivering.
  #running = false;
  // It is a task, so nothing but the event loop is on the stack.
  inTask = false;
  #microtaskQueued = false;
  #deliver;

  constructor(peerConnection, configuration, certificates) {
    this.native = new native.NativeConnection(configuration, certificates);
    this.peerConnection = peerConnection;
    this.#deliver = (kind, key, a, b) => {
      this.step++;
      try {
        deliveries[kind](this, key, a, b);
      } catch (error) {
        report(error);
      }
    };
    eventLoop.add(this, this.native.id);
  }

  // The promise of an operation. `fulfilled` runs before its reactions.
  start(operation, fulfilled = ignore) {
    return this.#promise(this.#operations, operation, value => {
      fulfilled();
      return value;
    });
  }

  // The promise of an operation that gathers statistics, which `close()` does not leave pending.
  gather(operation) {
    return this.#promise(this.#gathering, operation, list =>
      newStatsReport(list.map(stats => [stats.id, stats])),
    );
  }

  // `convert`: from what the addon delivers to what the promise is fulfilled with.
  #promise(operations, operation, convert) {
    const promise = new Promise((resolve, reject) => {
      operations.set(operation, { resolve: value => resolve(convert(value)), reject });
    });
    if (this.#running) this.native.settle(this.#deliver);
    else this.afterCall();
    return promise;
  }

  // After every call that may have had an outcome at once, or may have made the connection busy or idle.
  // While the addon runs something, it sees to that by itself.
  afterCall() {
    if (this.#running) return;
    this.#run(flush);
    if (this.native.hasMicrotask() && !this.#microtaskQueued) {
      this.#microtaskQueued = true;
      queueMicrotask(() => this.#runMicrotasks());
    }
    this.updateBusy();
    // A task that the call has queued comes before any timer that is set now.
    eventLoop.schedule();
  }

  #runMicrotasks() {
    this.#microtaskQueued = false;
    if (this.#running) return;
    while (this.#run(runMicrotask));
    this.updateBusy();
  }

  // Runs so many tasks, or up to the first in which a promise is settled: how many these were.
  runTasks(count) {
    this.inTask = true;
    try {
      return this.#run(runTasks, count);
    } finally {
      this.inTask = false;
    }
  }

  #run(step, count) {
    this.#running = true;
    try {
      return step(this.native, this.#deliver, count);
    } finally {
      this.#running = false;
      this.step++;
    }
  }

  updateBusy() {
    const isBusy = this.native.isBusy();
    eventLoop.setBusy(this, isBusy);
    if (!isBusy && this.#channels.size > 0 && this.native.isClosed()) this.#channels.clear();
  }

  // §4.4.2 `close()`: pending promises stay so for ever.
  close() {
    this.native.close();
    this.#operations.clear();
    this.afterCall();
  }

  channel(handle) {
    const { key } = handle;
    let channel = this.#channels.get(key);
    if (channel === undefined) {
      channel = newDataChannel(handle, this);
      this.#channels.set(key, channel);
    }
    return channel;
  }

  knownChannel(key) {
    return this.#channels.get(key);
  }

  forgetChannel(key) {
    const channel = this.#channels.get(key);
    this.#channels.delete(key);
    return channel;
  }

  transceiver(handle) {
    const { key } = handle;
    let transceiver = this.#transceivers.get(key);
    if (transceiver === undefined) {
      transceiver = transceiverOf(handle, this);
      this.#transceivers.set(key, transceiver);
    }
    return transceiver;
  }

  knownTransceiver(key) {
    return this.#transceivers.get(key);
  }

  remoteStream(handle) {
    const stream = streamOf(handle);
    this.#streams.set(handle.key, stream);
    return stream;
  }

  get sctp() {
    return (this.#sctp = sctpTransportOf(this.native.sctp(), this));
  }

  // Lets go what a description has removed: transceivers, transports, remote streams.
  prune() {
    if (this.#transceivers.size > 0) {
      const present = new Map();
      for (const { key } of this.native.getTransceivers()) {
        const transceiver = this.#transceivers.get(key);
        if (transceiver === undefined) continue;
        refreshTransceiver(transceiver);
        present.set(key, transceiver);
      }
      this.#transceivers = present;
    }
    for (const [key, stream] of this.#streams) {
      if (syncTracks(stream).length === 0) this.#streams.delete(key);
    }
    if (this.#sctp !== null) void this.sctp;
  }

  // The functions of a promise that is pending, which it is no longer.
  takePending(operation) {
    const operations = this.#gathering.has(operation) ? this.#gathering : this.#operations;
    const pending = operations.get(operation);
    operations.delete(operation);
    return pending;
  }

  fire(target, event) {
    fire(target, trust(event), this.inTask);
  }
}

native.install({
  wake: eventLoop.wake,
  exception(name, message) {
    switch (name) {
      case "TypeError":
        return new TypeError(message);
      case "RangeError":
        return new RangeError(message);
      default:
        return new DOMException(message, name);
    }
  },
  rtcError: (init, message) => new RTCError(init, message),
});

module.exports = { Connection };
