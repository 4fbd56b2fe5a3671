// The very objects of the CommonJS module.
import peerconnection from "./index.cjs";

export default peerconnection;
export const {
  RTCPeerConnection,
  RTCSessionDescription,
  RTCIceCandidate,
  RTCIceCandidatePair,
  RTCPeerConnectionIceEvent,
  RTCPeerConnectionIceErrorEvent,
  RTCCertificate,
  RTCRtpSender,
  RTCRtpReceiver,
  RTCRtpTransceiver,
  RTCDtlsTransport,
  RTCIceTransport,
  RTCSctpTransport,
  RTCTrackEvent,
  RTCDataChannel,
  RTCDataChannelEvent,
  RTCDTMFSender,
  RTCDTMFToneChangeEvent,
  RTCStatsReport,
  RTCError,
  RTCErrorEvent,
  MediaStream,
  MediaStreamTrack,
  MediaStreamTrackEvent,
  mediaDevices,
  OverconstrainedError,
  structuredClone,
} = peerconnection;
