"use strict";

// webrtc-pc §4.4 RTCPeerConnection, with §4.4.3, §4.9.1, §5.1, §6.1 and §8.2

const {
  isObject,
  DOMString,
  USVString,
  nullable,
  interfaceType,
  callback,
  needArguments,
  sequence,
  defaulting,
  dictionary,
  emptyList,
} = require("./webidl.js");
const { defineInterface, promised } = require("./interface.js");
const { defineEventTarget, report } = require("./event_target.js");
const {
  RTCConfiguration,
  RTCOfferOptions,
  RTCAnswerOptions,
  RTCSessionDescriptionInit,
  RTCLocalSessionDescriptionInit,
  RTCIceCandidateInit,
  RTCDataChannelInit,
  RTCRtpTransceiverDirection,
  RTCRtpEncodingParameters,
} = require("./dictionaries.js");
const { Connection } = require("./connection.js");
const { joined } = require("./dump.js");
const { RTCSessionDescription } = require("./rtc_session_description.js");
const { nativeCertificate, generateCertificate } = require("./rtc_certificate.js");
const { RTCRtpSender, isSender, nativeSender } = require("./rtc_rtp_sender.js");
const { MediaStreamTrack, isTrack, nativeTrack } = require("./media_stream_track.js");
const { MediaStream, isStream, nativeStream } = require("./media_stream.js");

const trackType = interfaceType(MediaStreamTrack.name, isTrack);
const streamType = interfaceType(MediaStream.name, isStream);
const senderType = interfaceType(RTCRtpSender.name, isSender);

// §5.1
const RTCRtpTransceiverInit = dictionary("RTCRtpTransceiverInit", {
  direction: defaulting(RTCRtpTransceiverDirection, "sendrecv"),
  streams: defaulting(sequence(streamType), emptyList),
  sendEncodings: defaulting(sequence(RTCRtpEncodingParameters), emptyList),
});

function convertConfiguration(value) {
  const { certificates, ...configuration } = RTCConfiguration(value, "configuration");
  return { configuration, certificates };
}

let isConnection;
let nativeDump;

class RTCPeerConnection extends EventTarget {
  #connection;
  #certificates;
  // The objects of the local and of the remote descriptions; see `description` below.
  #local = [];
  #remote = [];

  constructor(configuration = {}) {
    const converted = convertConfiguration(configuration);
    super();
    this.#certificates = converted.certificates;
    this.#connection = new Connection(
      this,
      converted.configuration,
      converted.certificates.map(nativeCertificate),
    );
  }

  createOffer() {
    return promised(() => {
      const connection = this.#connection;
      if (arguments.length > 1) {
        const [success, failure] = callbacks(arguments[0], arguments[1]);
        const options = RTCOfferOptions(arguments[2], "options");
        return legacy(connection.start(connection.native.createOffer(options)), success, failure);
      }
      return connection.start(
        connection.native.createOffer(RTCOfferOptions(arguments[0], "options")),
      );
    });
  }

  createAnswer() {
    return promised(() => {
      const connection = this.#connection;
      if (arguments.length > 1) {
        const [success, failure] = callbacks(arguments[0], arguments[1]);
        return legacy(connection.start(connection.native.createAnswer({})), success, failure);
      }
      return connection.start(
        connection.native.createAnswer(RTCAnswerOptions(arguments[0], "options")),
      );
    });
  }

  setLocalDescription() {
    return promised(() =>
      overloaded(this.#connection, arguments, 0, "setLocalDescription", (connection, value) => {
        const description = RTCLocalSessionDescriptionInit(value, "description");
        return () =>
          connection.start(connection.native.setLocalDescription(description), () =>
            connection.prune(),
          );
      }),
    );
  }

  setRemoteDescription(description) {
    return promised(() =>
      overloaded(this.#connection, arguments, 1, "setRemoteDescription", (connection, value) => {
        const description = RTCSessionDescriptionInit(value, "description");
        return () =>
          connection.start(connection.native.setRemoteDescription(description), () =>
            connection.prune(),
          );
      }),
    );
  }

  addIceCandidate() {
    return promised(() =>
      overloaded(this.#connection, arguments, 0, "addIceCandidate", (connection, value) => {
        const candidate = RTCIceCandidateInit(value, "candidate");
        return () => connection.start(connection.native.addIceCandidate(candidate));
      }),
    );
  }

  get localDescription() {
    return description(this.#local, this.#connection.native.localDescription());
  }
  get currentLocalDescription() {
    return description(this.#local, this.#connection.native.currentLocalDescription());
  }
  get pendingLocalDescription() {
    return description(this.#local, this.#connection.native.pendingLocalDescription());
  }
  get remoteDescription() {
    return description(this.#remote, this.#connection.native.remoteDescription());
  }
  get currentRemoteDescription() {
    return description(this.#remote, this.#connection.native.currentRemoteDescription());
  }
  get pendingRemoteDescription() {
    return description(this.#remote, this.#connection.native.pendingRemoteDescription());
  }

  get signalingState() {
    return this.#connection.native.signalingState();
  }
  get iceGatheringState() {
    return this.#connection.native.iceGatheringState();
  }
  get iceConnectionState() {
    return this.#connection.native.iceConnectionState();
  }
  get connectionState() {
    return this.#connection.native.connectionState();
  }
  get canTrickleIceCandidates() {
    return this.#connection.native.canTrickleIceCandidates();
  }

  restartIce() {
    this.#connection.native.restartIce();
    this.#connection.afterCall();
  }

  getConfiguration() {
    return { ...this.#connection.native.getConfiguration(), certificates: [...this.#certificates] };
  }

  setConfiguration(configuration = {}) {
    const connection = this.#connection;
    const converted = convertConfiguration(configuration);
    connection.native.setConfiguration(
      converted.configuration,
      converted.certificates.map(nativeCertificate),
    );
    connection.afterCall();
  }

  close() {
    this.#connection.close();
  }

  // §5.1

  getSenders() {
    const connection = this.#connection;
    return connection.native.getSenders().map(handle => connection.transceiver(handle).sender);
  }

  getReceivers() {
    const connection = this.#connection;
    return connection.native.getSenders().map(handle => connection.transceiver(handle).receiver);
  }

  getTransceivers() {
    const connection = this.#connection;
    return connection.native.getTransceivers().map(handle => connection.transceiver(handle));
  }

  addTrack(track, ...streams) {
    const connection = this.#connection;
    needArguments(arguments, 1, "addTrack");
    const handle = nativeTrack(trackType(track, "track"));
    const streamHandles = streams.map((stream, i) =>
      nativeStream(streamType(stream, `streams[${i}]`)),
    );
    const { sender } = connection.transceiver(connection.native.addTrack(handle, streamHandles));
    connection.afterCall();
    return sender;
  }

  removeTrack(sender) {
    const connection = this.#connection;
    needArguments(arguments, 1, "removeTrack");
    connection.native.removeTrack(nativeSender(senderType(sender, "sender")));
    connection.afterCall();
  }

  addTransceiver(trackOrKind, init = {}) {
    const connection = this.#connection;
    needArguments(arguments, 1, "addTransceiver");
    const of =
      isObject(trackOrKind) && isTrack(trackOrKind)
        ? nativeTrack(trackOrKind)
        : DOMString(trackOrKind);
    const { direction, streams, sendEncodings } = RTCRtpTransceiverInit(init, "init");
    const handle = connection.native.addTransceiver(
      of,
      { direction, sendEncodings },
      streams.map(nativeStream),
    );
    const transceiver = connection.transceiver(handle);
    connection.afterCall();
    return transceiver;
  }

  // §6.1

  get sctp() {
    return this.#connection.sctp;
  }

  createDataChannel(label, dataChannelDict = {}) {
    const connection = this.#connection;
    needArguments(arguments, 1, "createDataChannel");
    const converted = USVString(label);
    const init = RTCDataChannelInit(dataChannelDict, "dataChannelDict");
    const channel = connection.channel(connection.native.createDataChannel(converted, init));
    connection.afterCall();
    return channel;
  }

  // §8.2
  getStats(selector = null) {
    return promised(() => {
      const connection = this.#connection;
      const track = nullable(trackType)(selector, "selector");
      return connection.gather(connection.native.getStats(track && nativeTrack(track)));
    });
  }

  static generateCertificate(keygenAlgorithm) {
    return promised(() => {
      needArguments(arguments, 1, "generateCertificate");
      return generateCertificate(keygenAlgorithm);
    });
  }

  static {
    isConnection = value => #connection in value;
    nativeDump = value => value.#connection.native.dump();
  }
}
defineInterface(RTCPeerConnection);
defineEventTarget(
  RTCPeerConnection,
  isConnection,
  "negotiationneeded",
  "icecandidate",
  "icecandidateerror",
  "signalingstatechange",
  "iceconnectionstatechange",
  "icegatheringstatechange",
  "connectionstatechange",
  "track",
  "datachannel",
);

// Tells `operation(argument)` from `operation(argument, successCallback, failureCallback)` of
// §4.4.3.1. `convert` returns the function that starts the operation. No overload has two arguments
// (Web IDL §3.6.1 steps 3 and 4).
function overloaded(connection, args, required, name, convert) {
  needArguments(args, args.length === 2 ? 3 : required, name);
  const start = convert(connection, args[0]);
  if (args.length < 3) return start();
  const [success, failure] = callbacks(args[1], args[2]);
  return legacy(start(), success, failure);
}

// §4.4.3.1: the callbacks are the reactions of the operation's promise.
function legacy(promise, success, failure) {
  const invoke = callback => value => {
    try {
      callback(value);
    } catch (error) {
      report(error);
    }
  };
  promise.then(invoke(success), invoke(failure));
  return Promise.resolve();
}

function callbacks(success, failure) {
  return [callback(success, "successCallback"), callback(failure, "failureCallback")];
}

// The object that an attribute returns for a description. It is the same object until the type or
// the text changes, as the text does with each candidate. At most two exist: pending and current.
function description(existing, init) {
  if (init === null) return null;
  for (const object of existing) {
    if (object.type === init.type && object.sdp === init.sdp) return object;
  }
  const object = new RTCSessionDescription(init);
  existing.unshift(object);
  if (existing.length > 2) existing.pop();
  return object;
}

/** What these connections did, as one file; null if none of them remembers. */
function dump(...connections) {
  const files = connections.map((connection, i) => {
    if (!isObject(connection) || !isConnection(connection)) {
      throw new TypeError(`argument ${i + 1} of dump is no RTCPeerConnection of this module`);
    }
    return nativeDump(connection);
  });
  return joined(files);
}

module.exports = { RTCPeerConnection, dump };
