/**
 * The boundary between the JavaScript layer (this folder) and the addon (`../src`). The layer knows
 * Web IDL: conversions, prototypes, promises, event dispatch, object identity. The addon knows
 * everything else. It is used on one thread only, that of the JavaScript environment that loaded it.
 *
 * - Dictionaries are plain objects with the W3C names, converted by the layer: a member is absent
 *   or of its type, never `undefined`.
 * - Enumeration values are the W3C strings.
 * - A method of the addon that fails throws what {@link Hooks.exception} made.
 * - `key`: the identity of an object behind a handle. Two handles of one object have the same key; no two
 *   objects have, of all kinds and connections, as long as a handle of either exists.
 */

/** Gives the addon what it needs of the layer. Once, before anything else. */
export function install(hooks: Hooks): void;

export interface Hooks {
  /**
   * Called from the event loop, in a task of its own, with nothing on the stack: tasks were queued, in this
   * order. `tasks`: a `NativeConnection.id`, the number of its tasks that are due (`runTasks`), the next id, and
   * so on.
   */
  wake(tasks: number[]): void;
  /** Makes a `DOMException` of this name, or a `TypeError` or `RangeError`. */
  exception(name: string, message: string): Error;
  /** Makes an `RTCError`. `init` is an `RTCErrorInit`. */
  rtcError(init: object, message: string): Error;
}

/** What `Hooks.wake` is about to be called with; it will not be then. */
export function takeReady(): number[];

/**
 * What a method returns that returns a promise in the specification: the number under which its outcome
 * will be delivered.
 */
export type Operation = number;

/**
 * What is delivered: of each kind, the arguments of {@link Deliver} behind it. The first of an event is
 * the key of its target; the connection itself needs none.
 */
export interface Deliveries {
  /** The value: `undefined`, an `RTCSessionDescriptionInit`, or the `RTCStats` of a report in a list. */
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

/** The kinds of {@link Deliver}: whatever numbers the addon has given them. */
export const DeliveryKind: { readonly [Kind in keyof Deliveries]: number };

export type Deliver = (kind: number, ...delivered: Deliveries[keyof Deliveries]) => void;

export class NativeConnection {
  /** `configuration` is an `RTCConfiguration` without `certificates`; `urls` are always lists. */
  constructor(configuration: object, certificates: NativeCertificate[]);
  /** Names the connection in `Hooks.wake`; never used again. */
  readonly id: number;

  // The event loop. `deliver` is called within these, once for each thing to deliver, in the order of
  // the specification; it must not throw. It may call anything of the addon but these, except `settle`.

  /** Delivers what is there already, outside of any task: outcomes that a method had at once. */
  flush(deliver: Deliver): void;
  /**
   * Delivers outcomes alone, which a method had at once. Of these it is the one that may be called while another
   * delivers: the promise is rejected when it is returned, whatever the task has yet to deliver.
   */
  settle(deliver: Deliver): void;
  /** Runs what follows a settled promise (call from a microtask), and flushes. Whether there is more. */
  runMicrotask(deliver: Deliver): boolean;
  /**
   * Runs the next tasks, each with its effects and its microtasks: so many, or up to the first in which a
   * promise was settled. How many these were; one that is not there counts.
   */
  runTasks(count: number, deliver: Deliver): number;
  /** Whether there is something for {@link runMicrotask}. */
  hasMicrotask(): boolean;
  /**
   * Whether the process should stay: there are tasks, operations pending, transports that gather, check or
   * are connected, or something to be sent after `close()`.
   */
  isBusy(): boolean;

  createOffer(options: object): Operation;
  createAnswer(options: object): Operation;
  /** `description`: an `RTCLocalSessionDescriptionInit`. */
  setLocalDescription(description: object): Operation;
  setRemoteDescription(description: object): Operation;
  addIceCandidate(candidate: object): Operation;
  /** The six: `{ type, sdp }` or null. */
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
  /** Without `certificates`, which the layer keeps. */
  getConfiguration(): object;
  setConfiguration(configuration: object, certificates: NativeCertificate[]): void;
  /** Pending operations will not be delivered any more, but for `getStats()` and the like. */
  close(): void;
  isClosed(): boolean;
  createDataChannel(label: string, init: object): NativeDataChannel;
  /** InvalidAccessError, at once, if the selector is not the track of one sender or receiver. */
  getStats(selector: NativeTrack | null): Operation;
  sctp(): NativeSctpTransport | null;
  getTransceivers(): NativeTransceiver[];
  /** The transceivers of `getSenders()` and `getReceivers()`: without the stopped ones. */
  getSenders(): NativeTransceiver[];
  /** The transceiver of the sender. */
  addTrack(track: NativeTrack, streams: NativeStream[]): NativeTransceiver;
  /** InvalidAccessError if the transceiver is of another connection. */
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
  id(): number | null;
  readyState(): string;
  /** Falls in tasks of the connection alone. */
  bufferedAmount(): number;
  bufferedAmountLowThreshold(): number;
  setBufferedAmountLowThreshold(threshold: number): void;
  sendString(data: string): void;
  /** The function that sends binary messages. The octets are copied. */
  binarySender(): (data: Uint8Array) => void;
  /**
   * Throws what sending `size` octets now would, if `waiting` octets were buffered besides `bufferedAmount()`.
   * For what is sent later in its turn, behind a Blob that is being read.
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
  /** What the serializer gives: the members of `RTCIceCandidateInit`. */
  toJSON(): object;
}

export class NativeCandidatePair {
  readonly key: number;
  local(): NativeCandidate;
  remote(): NativeCandidate;
}

export class NativeTrack {
  /** A live local track. */
  constructor(kind: string);
  readonly key: number;
  id(): string;
  kind(): string;
  label(): string;
  enabled(): boolean;
  setEnabled(enabled: boolean): void;
  muted(): boolean;
  readyState(): string;
  stop(): void;
  clone(): NativeTrack;
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
 * `algorithm`: `{ name, namedCurve?, modulusLength?, publicExponent?: number[], hash?, expires? }`. The promise is
 * the platform's own: fulfilled with a NativeCertificate, or rejected with what `Hooks.exception` made.
 */
export function generateCertificate(algorithm: object): Promise<NativeCertificate>;
