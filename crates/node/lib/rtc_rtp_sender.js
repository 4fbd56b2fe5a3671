"use strict";

// webrtc-pc §5.2 RTCRtpSender

const native = require("./native.js");
const { DOMString, nullable, interfaceType, needArguments } = require("./webidl.js");
const { internal, onlyInternal, defineInterface, promised } = require("./interface.js");
const { MediaStreamTrack, isTrack, nativeTrack, trackOf } = require("./media_stream_track.js");
const { MediaStream, isStream, nativeStream } = require("./media_stream.js");
const { dtlsTransportOf } = require("./rtc_dtls_transport.js");
const { newDTMFSender } = require("./rtc_dtmf_sender.js");
const { RTCRtpSendParameters, RTCSetParameterOptions } = require("./dictionaries.js");

const withTrackType = nullable(interfaceType(MediaStreamTrack.name, isTrack));
const streamType = interfaceType(MediaStream.name, isStream);

let isSender;
let nativeSender;
let refreshSender;
let existingDTMFSender;

class RTCRtpSender {
  // The transceiver.
  #native;
  #connection;
  // Kept, so that the attributes return the same objects each time.
  #track;
  #transport;
  #dtmf = null;

  constructor(token = undefined, native, connection) {
    onlyInternal(token);
    this.#native = native;
    this.#connection = connection;
    this.#track = trackOf(native.senderTrack());
  }

  // Drops the objects that are no longer the sender's.
  #refresh() {
    this.#track = trackOf(this.#native.senderTrack());
    if (this.#transport) void this.transport;
  }

  get track() {
    return (this.#track = trackOf(this.#native.senderTrack()));
  }

  get transport() {
    const native = this.#native;
    return (this.#transport = dtlsTransportOf(native.senderTransport(), this.#connection));
  }

  // §7.1: audio senders only.
  get dtmf() {
    const native = this.#native;
    if (this.#dtmf === null && native.kind() === "audio")
      this.#dtmf = newDTMFSender(native, this.#connection);
    return this.#dtmf;
  }

  static getCapabilities(kind) {
    needArguments(arguments, 1, "getCapabilities");
    return native.getSenderCapabilities(DOMString(kind));
  }

  getParameters() {
    const parameters = this.#native.getSendParameters();
    // §5.2 `getParameters()` queues a task for [[LastReturnedParameters]].
    this.#connection.afterCall();
    return parameters;
  }

  setParameters(parameters, setParameterOptions = {}) {
    return promised(() => {
      const native = this.#native;
      needArguments(arguments, 1, "setParameters");
      const converted = RTCRtpSendParameters(parameters, "parameters");
      RTCSetParameterOptions(setParameterOptions, "setParameterOptions");
      return this.#connection.start(native.setSendParameters(converted));
    });
  }

  replaceTrack(withTrack) {
    return promised(() => {
      const native = this.#native;
      needArguments(arguments, 1, "replaceTrack");
      const track = withTrackType(withTrack, "withTrack");
      // Until it is settled, this closure keeps the track alive.
      return this.#connection.start(native.replaceTrack(track && nativeTrack(track)), () => {
        this.#track = track;
      });
    });
  }

  setStreams(...streams) {
    const native = this.#native;
    native.setStreams(
      streams.map((stream, i) => nativeStream(streamType(stream, `streams[${i}]`))),
    );
    this.#connection.afterCall();
  }

  getStats() {
    return promised(() => this.#connection.gather(this.#native.getSenderStats()));
  }

  static {
    isSender = value => #native in value;
    nativeSender = sender => sender.#native;
    refreshSender = sender => sender.#refresh();
    existingDTMFSender = sender => sender.#dtmf;
  }
}
defineInterface(RTCRtpSender);

function newSender(native, connection) {
  return new RTCRtpSender(internal, native, connection);
}

module.exports = {
  RTCRtpSender,
  isSender,
  nativeSender,
  refreshSender,
  existingDTMFSender,
  newSender,
};
