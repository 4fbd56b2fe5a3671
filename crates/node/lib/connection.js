"use strict";

// What stands behind an RTCPeerConnection: the addon's connection with its outcomes and events, and the
// objects that live as long as they belong to the connection.

const native = require("./native.js");
const eventLoop = require("./event_loop.js");
const { report, trust, fire } = require("./event_target.js");
const { known } = require("./identity.js");
const { RTCError } = require("./rtc_error.js");
const { RTCErrorEvent } = require("./rtc_error_event.js");
const { RTCPeerConnectionIceEvent } = require("./rtc_peer_connection_ice_event.js");
const { RTCPeerConnectionIceErrorEvent } = require("./rtc_peer_connection_ice_error_event.js");
const { RTCTrackEvent } = require("./rtc_track_event.js");
const { RTCDataChannelEvent } = require("./rtc_data_channel_event.js");
const { RTCDTMFToneChangeEvent } = require("./rtc_dtmf_tone_change_event.js");
const { MediaStreamTrackEvent } = require("./media_stream_track_event.js");
const { candidateOf } = require("./rtc_ice_candidate.js");
const { newDataChannel, fireMessage } = require("./rtc_data_channel.js");
const { transceiverOf, refreshTransceiver } = require("./rtc_rtp_transceiver.js");
const { existingDTMFSender } = require("./rtc_rtp_sender.js");
const { sctpTransportOf } = require("./rtc_sctp_transport.js");
const { newStatsReport } = require("./rtc_stats_report.js");
const { trackOf } = require("./media_stream_track.js");
const { streamOf, syncTracks } = require("./media_stream.js");

const MESSAGE = 22;

// The kinds of `Deliver` that are events without anything in them.
const plainEvents = [];
plainEvents[2] = "negotiationneeded";
plainEvents[3] = "signalingstatechange";
plainEvents[6] = "iceconnectionstatechange";
plainEvents[7] = "icegatheringstatechange";
plainEvents[8] = "connectionstatechange";
plainEvents[11] = "statechange";
plainEvents[12] = "gatheringstatechange";
plainEvents[13] = "selectedcandidatepairchange";
plainEvents[14] = "statechange";
plainEvents[16] = "statechange";
plainEvents[17] = "open";
plainEvents[18] = "closing";
plainEvents[19] = "close";
plainEvents[20] = "bufferedamountlow";
plainEvents[23] = "mute";
plainEvents[24] = "unmute";
plainEvents[25] = "ended";

const ignore = () => {};
const flush = (native, deliver) => native.flush(deliver);
const runMicrotask = (native, deliver) => native.runMicrotask(deliver);
const runTasks = (native, deliver, count) => native.runTasks(count, deliver);

class Connection {
  // The RTCPeerConnection.
  #target;
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
  #inTask = false;
  #settled = false;
  #microtaskQueued = false;
  #deliver;

  constructor(target, configuration, certificates) {
    this.native = new native.NativeConnection(configuration, certificates);
    this.#target = target;
    this.#deliver = (kind, of, a, b) => {
      this.step++;
      try {
        if (kind === MESSAGE) this.#message(of, a);
        else this.#delivered(kind, of, a, b);
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
    this.#inTask = true;
    try {
      return this.#run(runTasks, count);
    } finally {
      this.#inTask = false;
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

  // Whether a promise was settled since the last time.
  takeSettled() {
    const settled = this.#settled;
    this.#settled = false;
    return settled;
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

  transceiver(handle) {
    const { key } = handle;
    let transceiver = this.#transceivers.get(key);
    if (transceiver === undefined) {
      transceiver = transceiverOf(handle, this);
      this.#transceivers.set(key, transceiver);
    }
    return transceiver;
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

  #message(key, data) {
    const channel = this.#channels.get(key);
    if (channel !== undefined) fireMessage(channel, data, this.#inTask);
  }

  #fire(target, event) {
    if (target !== undefined && target !== null) fire(target, trust(event), this.#inTask);
  }

  #delivered(kind, of, a, b) {
    const plain = plainEvents[kind];
    if (plain !== undefined) {
      const target = this.#targetOf(kind, of);
      if (target !== undefined) this.#fire(target, new Event(plain));
      return;
    }
    switch (kind) {
      case 0:
      case 1:
        this.#settle(of, kind === 0, a);
        break;
      case 4: {
        const candidate = candidateOf(a);
        this.#fire(
          this.#target,
          new RTCPeerConnectionIceEvent("icecandidate", { candidate, url: candidate?.url }),
        );
        break;
      }
      case 5:
        this.#fire(this.#target, new RTCPeerConnectionIceErrorEvent("icecandidateerror", a));
        break;
      case 9:
        this.#fire(
          this.#target,
          new RTCDataChannelEvent("datachannel", { channel: this.channel(a) }),
        );
        break;
      case 10:
        this.#track(a, b);
        break;
      case 15:
        this.#fire(known(of), new RTCErrorEvent("error", { error: a }));
        break;
      case 21:
        this.#fire(this.#channels.get(of), new RTCErrorEvent("error", { error: a }));
        break;
      case 26:
      case 27:
        this.#trackSet(known(of), kind === 26 ? "addtrack" : "removetrack", a);
        break;
      case 28: {
        const transceiver = this.#transceivers.get(of);
        const dtmf = transceiver && existingDTMFSender(transceiver.sender);
        this.#fire(dtmf, new RTCDTMFToneChangeEvent("tonechange", { tone: a }));
        break;
      }
    }
  }

  // Objects that JavaScript does not hold have no listeners.
  #targetOf(kind, of) {
    if (kind < 11) return this.#target;
    if (kind < 17 || kind > 22) return known(of);
    const channel = this.#channels.get(of);
    if (kind === 19) this.#channels.delete(of);
    return channel;
  }

  #settle(operation, isFulfilled, value) {
    const operations = this.#gathering.has(operation) ? this.#gathering : this.#operations;
    const pending = operations.get(operation);
    if (pending === undefined) return;
    operations.delete(operation);
    this.#settled = true;
    if (isFulfilled) pending.resolve(value);
    else pending.reject(value);
  }

  #track(handle, streamHandles) {
    const transceiver = this.transceiver(handle);
    const { receiver } = transceiver;
    const streams = streamHandles.map(handle => {
      const stream = streamOf(handle);
      this.#streams.set(handle.key, stream);
      return stream;
    });
    this.#fire(
      this.#target,
      new RTCTrackEvent("track", { receiver, track: receiver.track, streams, transceiver }),
    );
  }

  #trackSet(stream, type, handle) {
    if (stream === undefined) return;
    syncTracks(stream);
    this.#fire(stream, new MediaStreamTrackEvent(type, { track: trackOf(handle) }));
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
