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

// Packets of RTP. No specification of the W3C has what follows, and no browser.

/** The sort of media that a track carries. */
export type MediaKind = "audio" | "video";

/** A packet of RTP (RFC 3550 §5.1) that a track gives. */
export declare class RtpPacket {
  private constructor();
  /** The payload without padding, as the codec's payload format has it. Copied when first read. */
  readonly payload: Uint8Array;
  /** In ticks of the clock rate, 0 to 2^32-1. The packets of one picture have the same. */
  readonly timestamp: number;
  /** 0 to 65,535, one more than that of the packet before it. */
  readonly sequenceNumber: number;
  /** The last packet of a picture; the first one of sound after silence. */
  readonly marker: boolean;
  /** 0 to 127. It means nothing outside of its stream: see `mimeType`. */
  readonly payloadType: number;
  /** The synchronization source; 0 if the packet comes from a {@link TrackSource}. */
  readonly ssrc: number;
  /** The rid of its layer, with simulcast. */
  readonly rid: string | null;
  /** The codec, for instance `video/VP8`; null if the description does not name it any more. */
  readonly mimeType: string | null;
  /** Of the timestamps, in hertz. */
  readonly clockRate: number | null;
}

/**
 * The packets of a track, from the moment at which it was made. It keeps the newest 512 that were
 * not read. It ends with the track; to leave a `for await` loop, or to call `return()`, ends it
 * too. Waiting for a packet does not keep the process alive: connections do.
 */
export declare class RtpPackets implements AsyncIterableIterator<RtpPacket> {
  private constructor();
  /** How many packets it has dropped because they were not read in time. */
  readonly dropped: number;
  next(): Promise<IteratorResult<RtpPacket, undefined>>;
  return<T>(value?: T): Promise<IteratorReturnResult<T>>;
  [Symbol.asyncIterator](): this;
}

/**
 * Reads the packets of a track, local or remote. Each call makes a reader of its own, and each
 * reader gets all packets. With simulcast these are the packets of all layers.
 *
 * Make it in the handler of `track`, before the first packet comes. Later is as good, but pictures
 * then begin with the next key frame: see {@link requestKeyFrame}.
 *
 * @throws TypeError for what is no track of this module.
 */
export declare function readPackets(track: globalThis.MediaStreamTrack): RtpPackets;

/**
 * Asks for a picture that can be decoded without those before it: the peer by a Picture Loss
 * Indication (RFC 4585 §6.3.1), a {@link TrackSource} by its handler. Several requests within 300 ms
 * are one. Does nothing for sound.
 *
 * @throws TypeError for what is no track of this module.
 */
export declare function requestKeyFrame(track: globalThis.MediaStreamTrack): void;

/** A packet that the application has made. */
export interface RtpPacketInit {
  /** A codec of `RTCRtpSender.getCapabilities()`. */
  mimeType: string;
  /** Its parameters; if absent, whatever is negotiated for the codec. */
  sdpFmtpLine?: string | null;
  /** The payload, as the codec's payload format has it (RFC 7741 for VP8); at most 1,100 octets fit
   * into every packet. Copied. */
  payload: ArrayBuffer | ArrayBufferView;
  /** One more than that of the packet before it, modulo 65,536. A gap tells the peer of a loss. */
  sequenceNumber: number;
  /** In ticks of the codec's clock rate, from any beginning, modulo 2^32. */
  timestamp: number;
  /** The last packet of a picture; the first one of sound after silence. Default: false. */
  marker?: boolean;
  /** The layer, if the sender has several encodings. Default: null, the first one. */
  rid?: string | null;
}

/**
 * A source of packets for a track: what `getUserMedia()` is to a page, for media that the
 * application has encoded. Each connection that sends the track gives the packets its own sequence
 * numbers, timestamps and payload types, and leaves out those whose codec it has not negotiated.
 *
 * To send a track that was received, no source is needed: `addTrack()` takes it.
 */
export declare class TrackSource {
  /** @throws TypeError for another kind. */
  constructor(kind: MediaKind);
  /** The track of this source. Its clones have the same source. */
  readonly track: globalThis.MediaStreamTrack;
  /**
   * Gives a packet to the track and its clones. An `RtpPacket` is passed on without being copied.
   * What is sent while nothing is connected is lost.
   *
   * @throws NotSupportedError (a `DOMException`) for a codec that cannot be sent.
   */
  send(packet: RtpPacket | RtpPacketInit): void;
  /** Called when a receiver needs a key frame: of one layer, or of all if `rid` is null. */
  onkeyframerequest: ((request: { rid: string | null }) => void) | null;
}

/**
 * Synthetic devices for tests: a tone, and a moving picture of 320x240. They play media that was
 * encoded beforehand, as Opus and VP8.
 */
export declare const mediaDevices: Pick<
  MediaDevices,
  "getUserMedia" | "getSupportedConstraints" | "ondevicechange" | keyof EventTarget
>;

/** As the global one, and it can clone an `RTCCertificate`, alone or within something else. */
export declare function structuredClone<T>(value: T, options?: StructuredSerializeOptions): T;

// Dumps. No specification of the W3C has what follows.

/** What a connection remembers for {@link dump}. */
export interface DumpOptions {
  /** How often to take statistics, in milliseconds, 100 to a day; without it, only in `dump()`. */
  statisticsInterval?: number;
  /** How many bytes the log may have; beyond them its oldest lines go. 1,048,576 by default. */
  logBytes?: number;
  /** How many samples of statistics are kept, the latest. 1,000 by default. */
  samples?: number;
}

/**
 * Lets connections that are made from now on remember what they do, for {@link dump}; `null`: not
 * any more.
 */
export declare function recordDumps(options?: DumpOptions | null): void;

/**
 * What these connections did, in the format of `chrome://webrtc-internals`, for the tools that read
 * it. Null if none of them remembers: see {@link recordDumps}. The addresses of both peers are in
 * it; messages, packets, the credentials of servers and ICE passwords are not.
 *
 * @throws TypeError for what is no connection of this module.
 */
export declare function dump(...connections: globalThis.RTCPeerConnection[]): string | null;
