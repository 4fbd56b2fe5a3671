"use strict";

// The dictionaries and enumerations that operations of webrtc-pc take as arguments.

const {
  boolean,
  DOMString,
  USVString,
  double,
  nullable,
  integer,
  octet,
  unsignedShort,
  unsignedLong,
  enumeration,
  sequence,
  orSequence,
  interfaceType,
  required,
  defaulting,
  dictionary,
  emptyList,
} = require("./webidl.js");
const { RTCCertificate, isCertificate } = require("./rtc_certificate.js");

// §4.2 Configuration

const RTCIceServer = dictionary("RTCIceServer", {
  urls: required((value, what) => [orSequence(USVString)(value, what)].flat()),
  username: DOMString,
  credential: DOMString,
});

const RTCConfiguration = dictionary("RTCConfiguration", {
  iceServers: defaulting(sequence(RTCIceServer), emptyList),
  iceTransportPolicy: defaulting(enumeration("RTCIceTransportPolicy", "relay", "all"), "all"),
  bundlePolicy: defaulting(
    enumeration("RTCBundlePolicy", "balanced", "max-compat", "max-bundle"),
    "balanced",
  ),
  rtcpMuxPolicy: defaulting(enumeration("RTCRtcpMuxPolicy", "require"), "require"),
  certificates: defaulting(sequence(interfaceType(RTCCertificate.name, isCertificate)), emptyList),
  iceCandidatePoolSize: defaulting(integer(8, { mode: "enforce range" }), 0),
});

// §4.2.5, with §4.4.3.2
const RTCOfferOptions = dictionary(
  "RTCOfferOptions",
  {},
  {
    iceRestart: defaulting(boolean, false),
    offerToReceiveAudio: boolean,
    offerToReceiveVideo: boolean,
  },
);
const RTCAnswerOptions = dictionary("RTCAnswerOptions", {}, {});

// §4.6 Session Description Model

const RTCSdpType = enumeration("RTCSdpType", "offer", "pranswer", "answer", "rollback");

const RTCSessionDescriptionInit = dictionary("RTCSessionDescriptionInit", {
  type: required(RTCSdpType),
  sdp: defaulting(DOMString, ""),
});
const RTCLocalSessionDescriptionInit = dictionary("RTCLocalSessionDescriptionInit", {
  type: RTCSdpType,
  sdp: defaulting(DOMString, ""),
});

// §4.8.1 RTCIceCandidate

const candidateInit = {
  candidate: defaulting(DOMString, ""),
  sdpMid: defaulting(nullable(DOMString), null),
  sdpMLineIndex: defaulting(nullable(unsignedShort), null),
  usernameFragment: defaulting(nullable(DOMString), null),
};
const RTCIceCandidateInit = dictionary("RTCIceCandidateInit", candidateInit);
const RTCLocalIceCandidateInit = dictionary("RTCLocalIceCandidateInit", candidateInit, {
  relayProtocol: defaulting(
    nullable(enumeration("RTCIceServerTransportProtocol", "udp", "tcp", "tls")),
    null,
  ),
  url: defaulting(nullable(USVString), null),
});

// §5.2 RTCRtpSender, §5.4 RTCRtpTransceiver

const RTCRtpTransceiverDirection = enumeration(
  "RTCRtpTransceiverDirection",
  "sendrecv",
  "sendonly",
  "recvonly",
  "inactive",
  "stopped",
);

const codec = {
  mimeType: required(DOMString),
  clockRate: required(unsignedLong),
  channels: unsignedShort,
  sdpFmtpLine: DOMString,
};
const RTCRtpCodec = dictionary("RTCRtpCodec", codec);
const RTCRtpCodecParameters = dictionary("RTCRtpCodecParameters", codec, {
  payloadType: required(octet),
});

const RTCRtpEncodingParameters = dictionary(
  "RTCRtpEncodingParameters",
  { rid: DOMString },
  {
    active: defaulting(boolean, true),
    codec: RTCRtpCodec,
    maxBitrate: unsignedLong,
    maxFramerate: double,
    scaleResolutionDownBy: double,
  },
);

const RTCRtpSendParameters = dictionary(
  "RTCRtpSendParameters",
  {
    headerExtensions: required(
      sequence(
        dictionary("RTCRtpHeaderExtensionParameters", {
          uri: required(DOMString),
          id: required(unsignedShort),
          encrypted: defaulting(boolean, false),
        }),
      ),
    ),
    rtcp: required(dictionary("RTCRtcpParameters", { cname: DOMString, reducedSize: boolean })),
    codecs: required(sequence(RTCRtpCodecParameters)),
  },
  {
    transactionId: required(DOMString),
    encodings: required(sequence(RTCRtpEncodingParameters)),
  },
);
const RTCSetParameterOptions = dictionary("RTCSetParameterOptions", {});

// §6.2 RTCDataChannel

const enforcedShort = integer(16, { mode: "enforce range" });

const RTCDataChannelInit = dictionary("RTCDataChannelInit", {
  ordered: defaulting(boolean, true),
  maxPacketLifeTime: enforcedShort,
  maxRetransmits: enforcedShort,
  protocol: defaulting(USVString, ""),
  negotiated: defaulting(boolean, false),
  id: enforcedShort,
  // webrtc-priority §4
  priority: defaulting(enumeration("RTCPriorityType", "very-low", "low", "medium", "high"), "low"),
});

module.exports = {
  RTCConfiguration,
  RTCOfferOptions,
  RTCAnswerOptions,
  RTCSdpType,
  RTCSessionDescriptionInit,
  RTCLocalSessionDescriptionInit,
  RTCIceCandidateInit,
  RTCLocalIceCandidateInit,
  RTCRtpTransceiverDirection,
  RTCRtpCodec,
  RTCRtpEncodingParameters,
  RTCRtpSendParameters,
  RTCSetParameterOptions,
  RTCDataChannelInit,
};
