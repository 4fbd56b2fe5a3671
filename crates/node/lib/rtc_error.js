"use strict";

// webrtc-pc §11.1 RTCError

const {
  DOMString,
  long,
  unsignedLong,
  enumeration,
  required,
  dictionary,
  needArguments,
} = require("./webidl.js");
const { defineInterface } = require("./interface.js");

const RTCErrorDetailType = enumeration(
  "RTCErrorDetailType",
  "data-channel-failure",
  "dtls-failure",
  "fingerprint-failure",
  "sctp-failure",
  "sdp-syntax-error",
  "hardware-encoder-not-available",
  "hardware-encoder-error",
);

const RTCErrorInit = dictionary("RTCErrorInit", {
  errorDetail: required(RTCErrorDetailType),
  sdpLineNumber: long,
  sctpCauseCode: long,
  receivedAlert: unsignedLong,
  sentAlert: unsignedLong,
});

let isRTCError;

class RTCError extends DOMException {
  #init;

  constructor(init, message = "") {
    needArguments(arguments, 1, "RTCError");
    const converted = RTCErrorInit(init, "init");
    super(DOMString(message), "OperationError");
    this.#init = converted;
  }

  get errorDetail() {
    return this.#init.errorDetail;
  }
  get sdpLineNumber() {
    return this.#init.sdpLineNumber ?? null;
  }
  get sctpCauseCode() {
    return this.#init.sctpCauseCode ?? null;
  }
  get receivedAlert() {
    return this.#init.receivedAlert ?? null;
  }
  get sentAlert() {
    return this.#init.sentAlert ?? null;
  }

  static {
    isRTCError = value => #init in value;
  }
}
defineInterface(RTCError);

module.exports = { RTCError, isRTCError };
