/**
 * The boundary between the JavaScript layer (this folder) and the addon (`../src`). The layer knows
 * Web IDL: conversions, prototypes, promises, event dispatch, object identity. The addon knows
 * everything else. Only the thread of the JavaScript environment that has loaded it uses it.
 *
 * - Dictionaries are plain objects with the W3C names, converted by the layer: a member is absent
 *   or of its type, never `undefined`.
 * - Enumeration values are the W3C strings.
 * - A method of the addon that fails throws an exception made by {@link Hooks.exception}.
 * - `key`: the identity of the object behind a handle. Two handles of one object have the same key.
 *   No two objects have the same key while a handle of either exists, whatever their kinds and
 *   connections.
 */

/** Gives the addon the functions that it calls. To be called once, before anything else. */
export function install(hooks: Hooks): void;

export interface Hooks {
  /**
   * Reports queued tasks, in this order: a `NativeConnection.id`, the number of its tasks to run
   * ({@link NativeConnection.runTasks}), the next id, and so on. The event loop calls it, in a task
   * of its own.
   */
  wake(tasks: number[]): void;
  /** Makes a `DOMException` of this name, or a `TypeError` or `RangeError`. */
  exception(name: string, message: string): Error;
  /** Makes an `RTCError`. `init` is an `RTCErrorInit`. */
  rtcError(init: object, message: string): Error;
  /** After {@link NativePackets.read} has returned null: there is something now, or the end. */
  readable(packets: number): void;
  /** A key frame is needed from a {@link NativeTrackSource}. `rid`: of one layer, or null for all. */
  keyFrameRequested(source: number, rid: string | null): void;
}

/** Takes the tasks that {@link Hooks.wake} is about to be called with, so that it gets none. */
export function takeReady(): number[];

/**
 * The number under which the outcome of a method will be delivered. Methods return it where the
 * specification's return a promise.
 */
export type Operation = number;

/**
 * The kinds of deliveries, each with the arguments that {@link Deliver} gets after the kind. An
 * event begins with the key of its target, which is 0 if the target is the connection itself.
 */
export interface Deliveries {
  /** `value`: `undefined`, an `RTCSessionDescriptionInit`, or the list of a report's `RTCStats`. */
  Fulfilled: [operation: Operation, value: unknown];
  Rejected: [operation: Operation, exception: Error];

  NegotiationNeeded: [connection: 0];
  SignalingStateChange: [connection: 0];
  IceCandidate: [connection: 0, candidate: NativeCandidate | null];
  /** `init`: an `RTCPeerConnectionIceErrorEventInit`. */
  IceCandidateError: [connection: 0, init: object];
  IceConnectionStateChange: [connection: 0];
  IceGatheringStateChange: [connection: 0];
  ConnectionStateChange: [connection: 0];
  DataChannel: [connection: 0, channel: NativeDataChannel];
  Track: [connection: 0, transceiver: NativeTransceiver, streams: NativeStream[]];

  IceTransportStateChange: [iceTransport: number];
  IceTransportGatheringStateChange: [iceTransport: number];
  SelectedCandidatePairChange: [iceTransport: number];
  DtlsTransportStateChange: [dtlsTransport: number];
  /** `error`: an `RTCError`. */
  DtlsTransportError: [dtlsTransport: number, error: Error];
  SctpTransportStateChange: [sctpTransport: number];

  Open: [channel: number];
  Closing: [channel: number];
  /** The last event of a channel. */
  Close: [channel: number];
  BufferedAmountLow: [channel: number];
  /** `error`: an `RTCError`. */
  DataChannelError: [channel: number, error: Error];
  Message: [channel: number, data: string | ArrayBuffer];

  Mute: [track: number];
  Unmute: [track: number];
  Ended: [track: number];
  AddTrack: [stream: number, track: NativeTrack];
  RemoveTrack: [stream: number, track: NativeTrack];
  ToneChange: [transceiver: number, tone: string];
}

/** The number of each kind. The addon chooses them; nobody else writes one. */
export const DeliveryKind: { readonly [Kind in keyof Deliveries]: number };

export type Deliver = (kind: number, ...delivered: Deliveries[keyof Deliveries]) => void;

export class NativeConnection {
  /** `configuration` is an `RTCConfiguration` without `certificates`; `urls` are always lists. */
  constructor(
    configuration: object,
    certificates: NativeCertificate[],
    /** What it remembers for {@link dump}; nothing if it is null. */
    dump: { statisticsInterval?: number; logBytes: number; samples: number } | null,
  );
  /** Names the connection in {@link Hooks.wake}. No other connection gets the same number. */
  readonly id: number;

  /** The file of chrome://webrtc-internals; null if it remembers nothing. */
  dump(): string | null;

  // The event loop. The next four methods call `deliver` once for each delivery, in the order of
  // the specification. `deliver` must not throw. It may call `settle`, but not the other three; it
  // may call everything else of the addon.

  /** Delivers outside of tasks: the outcomes of operations that ended within a method's call. */
  flush(deliver: Deliver): void;
  /**
   * Delivers outcomes only. It may be called while another of these methods delivers. So a promise
   * that a method rejects at once is rejected when a listener gets it, and not after the task.
   */
  settle(deliver: Deliver): void;
  /**
   * Runs the connection's next microtask, a reaction to a settled promise, and flushes. To be
   * called in a microtask. Returns whether there was one.
   */
  runMicrotask(deliver: Deliver): boolean;
  /**
   * Runs the next `count` tasks, each with its effects and its microtasks, but none after one that
   * has settled a promise. Returns how many it has run, counting tasks that no longer exist.
   */
  runTasks(count: number, deliver: Deliver): number;
  /** Whether there is something for {@link runMicrotask}. */
  hasMicrotask(): boolean;
  /**
   * Whether the process should stay alive. It should while there are tasks, pending operations,
   * transports that gather, check or are connected, or data to be sent after `close()`.
   */
  isBusy(): boolean;

  createOffer(options: object): Operation;
  createAnswer(options: object): Operation;
  /** `description`: an `RTCLocalSessionDescriptionInit`. */
  setLocalDescription(description: object): Operation;
  setRemoteDescription(description: object): Operation;
  addIceCandidate(candidate: object): Operation;
  /** Like the five after it: `{ type, sdp }` or null. */
  localDescription(): { type: string; sdp: string } | null;
  currentLocalDescription(): { type: string; sdp: string } | null;
  pendingLocalDescription(): { type: string; sdp: string } | null;
  remoteDescription(): { type: string; sdp: string } | null;
  currentRemoteDescription(): { type: string; sdp: string } | null;
  pendingRemoteDescription(): { type: string; sdp: string } | null;
  signalingState(): string;
  iceGatheringState(): string;
  iceConnectionState(): string;
  connectionState(): string;
  canTrickleIceCandidates(): boolean | null;
  restartIce(): void;
  /** Without `certificates`: the JavaScript layer keeps them. */
  getConfiguration(): object;
  setConfiguration(configuration: object, certificates: NativeCertificate[]): void;
  /** Of the pending operations only `getStats()` will still be delivered. */
  close(): void;
  isClosed(): boolean;
  createDataChannel(label: string, init: object): NativeDataChannel;
  /** Throws an InvalidAccessError unless the selector is the track of one sender or receiver. */
  getStats(selector: NativeTrack | null): Operation;
  sctp(): NativeSctpTransport | null;
  getTransceivers(): NativeTransceiver[];
  /** The transceivers of `getSenders()` and `getReceivers()`, which leave stopped ones out. */
  getSenders(): NativeTransceiver[];
  /** Returns the transceiver of the sender. */
  addTrack(track: NativeTrack, streams: NativeStream[]): NativeTransceiver;
  /** Throws an InvalidAccessError if the transceiver belongs to another connection. */
  removeTrack(sender: NativeTransceiver): void;
  /** `init`: `{ direction, sendEncodings }`. */
  addTransceiver(
    trackOrKind: NativeTrack | string,
    init: object,
    streams: NativeStream[],
  ): NativeTransceiver;
}

/** A transceiver with its sender, its receiver and its DTMF sender. */
export class NativeTransceiver {
  readonly key: number;
  kind(): string;
  mid(): string | null;
  direction(): string;
  setDirection(direction: string): void;
  currentDirection(): string | null;
  stop(): void;
  setCodecPreferences(codecs: object[]): void;

  senderTrack(): NativeTrack | null;
  senderTransport(): NativeDtlsTransport | null;
  getSendParameters(): object;
  setSendParameters(parameters: object): Operation;
  replaceTrack(track: NativeTrack | null): Operation;
  setStreams(streams: NativeStream[]): void;
  getSenderStats(): Operation;

  receiverTrack(): NativeTrack;
  receiverTransport(): NativeDtlsTransport | null;
  getReceiveParameters(): object;
  getContributingSources(): object[];
  getSynchronizationSources(): object[];
  getReceiverStats(): Operation;
  jitterBufferTarget(): number | null;
  setJitterBufferTarget(target: number | null): void;

  canInsertDTMF(): boolean;
  toneBuffer(): string;
  insertDTMF(tones: string, duration: number, interToneGap: number): void;
}

/** `RTCRtpCapabilities`, or null for an unknown kind. */
export function getSenderCapabilities(kind: string): object | null;
export function getReceiverCapabilities(kind: string): object | null;

export class NativeDtlsTransport {
  readonly key: number;
  iceTransport(): NativeIceTransport;
  state(): string;
  getRemoteCertificates(): ArrayBuffer[];
}

export class NativeIceTransport {
  readonly key: number;
  role(): string;
  component(): string;
  state(): string;
  gatheringState(): string;
  getLocalCandidates(): NativeCandidate[];
  getRemoteCandidates(): NativeCandidate[];
  getSelectedCandidatePair(): NativeCandidatePair | null;
  /** `RTCIceParameters` or null. */
  getLocalParameters(): object | null;
  getRemoteParameters(): object | null;
}

export class NativeSctpTransport {
  readonly key: number;
  transport(): NativeDtlsTransport | null;
  state(): string;
  maxMessageSize(): number | null;
  maxChannels(): number | null;
}

export class NativeDataChannel {
  readonly key: number;
  label(): string;
  ordered(): boolean;
  maxPacketLifeTime(): number | null;
  maxRetransmits(): number | null;
  protocol(): string;
  negotiated(): boolean;
  priority(): string;
  id(): number | null;
  readyState(): string;
  /** It falls only while the connection runs tasks. */
  bufferedAmount(): number;
  bufferedAmountLowThreshold(): number;
  setBufferedAmountLowThreshold(threshold: number): void;
  sendString(data: string): void;
  /** Makes the function that sends binary messages. It copies the octets. */
  binarySender(): (data: Uint8Array) => void;
  /**
   * Throws whatever sending `size` octets would throw, if `waiting` octets were buffered besides
   * `bufferedAmount()`. It is for messages that wait behind a Blob that is being read.
   */
  checkSend(size: number, waiting: number): void;
  close(): void;
}

export class NativeCandidate {
  /** `init`: an `RTCLocalIceCandidateInit`. */
  constructor(init: object);
  readonly key: number;
  /** Every attribute of `RTCIceCandidate` by its name; null where it has none. */
  attributes(): object;
  /** The members of `RTCIceCandidateInit`, as the specification's `toJSON()` returns them. */
  toJSON(): object;
}

export class NativeCandidatePair {
  readonly key: number;
  local(): NativeCandidate;
  remote(): NativeCandidate;
}

export class NativeTrack {
  private constructor();
  readonly key: number;
  id(): string;
  kind(): string;
  label(): string;
  enabled(): boolean;
  setEnabled(enabled: boolean): void;
  muted(): boolean;
  readyState(): string;
  stop(): void;
  requestKeyFrame(): void;
  clone(): NativeTrack;
}

/** A track of a synthetic device, which plays until all of its tracks have stopped or are gone. */
export function syntheticTrack(kind: string): NativeTrack;

/** The packets of a track from now on. It keeps 512, and drops the oldest. */
export class NativePackets {
  constructor(track: NativeTrack);
  /** Names it in {@link Hooks.readable}. */
  readonly id: number;
  /** The next packet; null if there is none yet, or no more. */
  read(): NativePacket | null;
  hasEnded(): boolean;
  /** How many packets were dropped since it was asked last. */
  takeDropped(): number;
  close(): void;
}

export class NativePacket {
  /** A copy. */
  payload(): Uint8Array;
  timestamp(): number;
  sequenceNumber(): number;
  marker(): boolean;
  payloadType(): number;
  ssrc(): number;
  rid(): string | null;
  mimeType(): string | null;
  clockRate(): number | null;
}

export class NativeTrackSource {
  constructor(kind: string);
  /** Names it in {@link Hooks.keyFrameRequested}. */
  readonly id: number;
  track(): NativeTrack;
  /** Sends a packet that was received. */
  forward(packet: NativePacket): void;
  /** Throws a NotSupportedError if the codec cannot be sent. */
  send(
    mimeType: string,
    sdpFmtpLine: string | null,
    rid: string | null,
    sequenceNumber: number,
    timestamp: number,
    marker: boolean,
    payload: Uint8Array,
  ): void;
  /** Whether {@link Hooks.keyFrameRequested} is to be called. */
  setListening(listening: boolean): void;
}

export class NativeStream {
  constructor(tracks: NativeTrack[]);
  readonly key: number;
  id(): string;
  active(): boolean;
  getTracks(): NativeTrack[];
  addTrack(track: NativeTrack): void;
  removeTrack(track: NativeTrack): void;
}

export class NativeCertificate {
  expires(): number;
  getFingerprints(): { algorithm: string; value: string }[];
}

/**
 * `algorithm`: `{ name, namedCurve?, modulusLength?, publicExponent?: number[], hash?, expires? }`.
 * The promise is JavaScript's own. A rejection has an exception made by {@link Hooks.exception}.
 */
export function generateCertificate(algorithm: object): Promise<NativeCertificate>;
