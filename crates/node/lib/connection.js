"use strict";

// The inside of an RTCPeerConnection: it owns the addon's connection, runs it, settles its promises
// and keeps the objects that belong to it alive.

const native = require("./native.js");
const eventLoop = require("./event_loop.js");
const { report, trust, fire } = require("./event_target.js");
const { deliveries } = require("./deliveries.js");
const { dumpOptions } = require("./dump.js");
const { RTCError } = require("./rtc_error.js");
const { newDataChannel } = require("./rtc_data_channel.js");
const { transceiverOf, refreshTransceiver } = require("./rtc_rtp_transceiver.js");
const { sctpTransportOf } = require("./rtc_sctp_transport.js");
const { newStatsReport } = require("./rtc_stats_report.js");
const { streamOf, syncTracks } = require("./media_stream.js");
const { readable, keyFrameRequested } = require("./rtp.js");

const ignore = () => {};
const flush = (native, deliver) => native.flush(deliver);
const runMicrotask = (native, deliver) => native.runMicrotask(deliver);
const runTasks = (native, deliver, count) => native.runTasks(count, deliver);

class Connection {
  #operations = new Map();
  #gathering = new Map();
  // Objects by their key. A channel stays until its `close` event, a transceiver while it is in the
  // set of transceivers, a remote stream while it has tracks.
  #channels = new Map();
  #transceivers = new Map();
  #streams = new Map();
  #sctp = null;
  // Changes whenever the addon may have changed a state by itself.
  step = 0;
  // Whether the addon is running, and delivering.
  #running = false;
  // Whether it runs tasks: only the event loop is below on the stack.
  inTask = false;
  #microtaskQueued = false;
  #deliver;

  constructor(peerConnection, configuration, certificates) {
    this.native = new native.NativeConnection(configuration, certificates, dumpOptions());
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

  // Makes the promise of an operation. `fulfilled` runs before the promise's reactions.
  start(operation, fulfilled = ignore) {
    return this.#promise(this.#operations, operation, value => {
      fulfilled();
      return value;
    });
  }

  // Makes the promise of an operation that gathers statistics. It is settled even after `close()`.
  gather(operation) {
    return this.#promise(this.#gathering, operation, list =>
      newStatsReport(list.map(stats => [stats.id, stats])),
    );
  }

  // `convert` makes the promise's value from the addon's.
  #promise(operations, operation, convert) {
    const promise = new Promise((resolve, reject) => {
      operations.set(operation, { resolve: value => resolve(convert(value)), reject });
    });
    if (this.#running) this.native.settle(this.#deliver);
    else this.afterCall();
    return promise;
  }

  // To be called after each call of the addon that may have settled a promise at once, or made the
  // connection busy or idle. A call from within a delivery needs nothing: the addon is still
  // running.
  afterCall() {
    if (this.#running) return;
    this.#run(flush);
    if (this.native.hasMicrotask() && !this.#microtaskQueued) {
      this.#microtaskQueued = true;
      queueMicrotask(() => this.#runMicrotasks());
    }
    this.updateBusy();
    // A task that the call has queued runs before any timer that the application sets from now on.
    eventLoop.schedule();
  }

  #runMicrotasks() {
    this.#microtaskQueued = false;
    if (this.#running) return;
    while (this.#run(runMicrotask));
    this.updateBusy();
  }

  // Runs `count` tasks, but none after one that has settled a promise. Returns how many it has run.
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

  // §4.4.2 `close()`: pending promises stay pending for ever.
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

  // Drops the transceivers, transports and remote streams that a description has removed.
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

  // Removes a pending promise. Returns its `resolve` and `reject`; undefined if `close()` has
  // removed it.
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
  readable,
  keyFrameRequested,
});

module.exports = { Connection };
