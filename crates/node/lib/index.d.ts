/// <reference lib="dom" />

// The interfaces are those of a browser, and so are their types.

export declare const RTCPeerConnection: typeof globalThis.RTCPeerConnection;
export type RTCPeerConnection = globalThis.RTCPeerConnection;
export declare const RTCSessionDescription: typeof globalThis.RTCSessionDescription;
export type RTCSessionDescription = globalThis.RTCSessionDescription;
export declare const RTCIceCandidate: typeof globalThis.RTCIceCandidate;
export type RTCIceCandidate = globalThis.RTCIceCandidate;
export declare const RTCPeerConnectionIceEvent: typeof globalThis.RTCPeerConnectionIceEvent;
export type RTCPeerConnectionIceEvent = globalThis.RTCPeerConnectionIceEvent;
export declare const RTCPeerConnectionIceErrorEvent: typeof globalThis.RTCPeerConnectionIceErrorEvent;
export type RTCPeerConnectionIceErrorEvent = globalThis.RTCPeerConnectionIceErrorEvent;
export declare const RTCCertificate: typeof globalThis.RTCCertificate;
export type RTCCertificate = globalThis.RTCCertificate;
export declare const RTCRtpSender: typeof globalThis.RTCRtpSender;
export type RTCRtpSender = globalThis.RTCRtpSender;
export declare const RTCRtpReceiver: typeof globalThis.RTCRtpReceiver;
export type RTCRtpReceiver = globalThis.RTCRtpReceiver;
export declare const RTCRtpTransceiver: typeof globalThis.RTCRtpTransceiver;
export type RTCRtpTransceiver = globalThis.RTCRtpTransceiver;
export declare const RTCDtlsTransport: typeof globalThis.RTCDtlsTransport;
export type RTCDtlsTransport = globalThis.RTCDtlsTransport;
export declare const RTCIceTransport: typeof globalThis.RTCIceTransport;
export type RTCIceTransport = globalThis.RTCIceTransport;
export declare const RTCSctpTransport: typeof globalThis.RTCSctpTransport;
export type RTCSctpTransport = globalThis.RTCSctpTransport;
export declare const RTCTrackEvent: typeof globalThis.RTCTrackEvent;
export type RTCTrackEvent = globalThis.RTCTrackEvent;
export declare const RTCDataChannel: typeof globalThis.RTCDataChannel;
export type RTCDataChannel = globalThis.RTCDataChannel;
export declare const RTCDataChannelEvent: typeof globalThis.RTCDataChannelEvent;
export type RTCDataChannelEvent = globalThis.RTCDataChannelEvent;
export declare const RTCDTMFSender: typeof globalThis.RTCDTMFSender;
export type RTCDTMFSender = globalThis.RTCDTMFSender;
export declare const RTCDTMFToneChangeEvent: typeof globalThis.RTCDTMFToneChangeEvent;
export type RTCDTMFToneChangeEvent = globalThis.RTCDTMFToneChangeEvent;
export declare const RTCStatsReport: typeof globalThis.RTCStatsReport;
export type RTCStatsReport = globalThis.RTCStatsReport;
export declare const RTCError: typeof globalThis.RTCError;
export type RTCError = globalThis.RTCError;
export declare const RTCErrorEvent: typeof globalThis.RTCErrorEvent;
export type RTCErrorEvent = globalThis.RTCErrorEvent;
export declare const MediaStream: typeof globalThis.MediaStream;
export type MediaStream = globalThis.MediaStream;
export declare const MediaStreamTrack: typeof globalThis.MediaStreamTrack;
export type MediaStreamTrack = globalThis.MediaStreamTrack;
export declare const MediaStreamTrackEvent: typeof globalThis.MediaStreamTrackEvent;
export type MediaStreamTrackEvent = globalThis.MediaStreamTrackEvent;
export declare const OverconstrainedError: typeof globalThis.OverconstrainedError;
export type OverconstrainedError = globalThis.OverconstrainedError;

/** webrtc-pc §5.6.2: an interface since 2025. */
export declare class RTCIceCandidatePair {
  private constructor();
  readonly local: RTCIceCandidate;
  readonly remote: RTCIceCandidate;
}

/** Synthetic devices for tests: a tone, a moving picture. Their frames do not flow yet. */
export declare const mediaDevices: Pick<
  MediaDevices,
  "getUserMedia" | "getSupportedConstraints" | "ondevicechange" | keyof EventTarget
>;

/** As the global one, and it can clone an `RTCCertificate`, alone or within something else. */
export declare function structuredClone<T>(value: T, options?: StructuredSerializeOptions): T;
