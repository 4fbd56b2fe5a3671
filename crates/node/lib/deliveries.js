"use strict";

// What a connection does with each thing that the addon delivers. `Deliveries` of `native.d.ts`
// says what comes with it.

const { DeliveryKind } = require("./native.js");
const { known } = require("./identity.js");
const { RTCErrorEvent } = require("./rtc_error_event.js");
const { RTCPeerConnectionIceEvent } = require("./rtc_peer_connection_ice_event.js");
const { RTCPeerConnectionIceErrorEvent } = require("./rtc_peer_connection_ice_error_event.js");
const { RTCTrackEvent } = require("./rtc_track_event.js");
const { RTCDataChannelEvent } = require("./rtc_data_channel_event.js");
const { RTCDTMFToneChangeEvent } = require("./rtc_dtmf_tone_change_event.js");
const { MediaStreamTrackEvent } = require("./media_stream_track_event.js");
const { candidateOf } = require("./rtc_ice_candidate.js");
const { fireMessage } = require("./rtc_data_channel.js");
const { existingDTMFSender } = require("./rtc_rtp_sender.js");
const { trackOf } = require("./media_stream_track.js");
const { syncTracks } = require("./media_stream.js");

// Targets, by their keys. There is none for an object that JavaScript does not hold: it has no
// listeners.

const peerConnection = connection => connection.peerConnection;
const object = (_, key) => known(key);
const channel = (connection, key) => connection.knownChannel(key);
// `close` is the last event of a channel.
const closedChannel = (connection, key) => connection.forgetChannel(key);
const dtmfSender = (connection, key) => {
  const transceiver = connection.knownTransceiver(key);
  return transceiver && existingDTMFSender(transceiver.sender);
};

// Dictionaries of the events that have one.

const withCandidate = (_connection, _target, handle) => {
  const candidate = candidateOf(handle);
  return { candidate, url: candidate?.url };
};
const asDelivered = (_connection, _target, init) => init;
const withChannel = (connection, _target, handle) => ({ channel: connection.channel(handle) });
const withReceiver = (connection, _target, handle, streamHandles) => {
  const transceiver = connection.transceiver(handle);
  const { receiver } = transceiver;
  const streams = streamHandles.map(handle => connection.remoteStream(handle));
  return { receiver, track: receiver.track, streams, transceiver };
};
const withError = (_connection, _target, error) => ({ error });
const withTrack = (_connection, stream, handle) => {
  syncTracks(stream);
  return { track: trackOf(handle) };
};
const withTone = (_connection, _target, tone) => ({ tone });

function event(targetOf, type, Interface = Event, initOf = () => undefined) {
  return (connection, key, a, b) => {
    const target = targetOf(connection, key) ?? null;
    if (target === null) return;
    connection.fire(target, new Interface(type, initOf(connection, target, a, b)));
  };
}

const byName = {
  Fulfilled: (connection, operation, value) => connection.takePending(operation)?.resolve(value),
  Rejected: (connection, operation, error) => connection.takePending(operation)?.reject(error),

  NegotiationNeeded: event(peerConnection, "negotiationneeded"),
  SignalingStateChange: event(peerConnection, "signalingstatechange"),
  IceCandidate: event(peerConnection, "icecandidate", RTCPeerConnectionIceEvent, withCandidate),
  IceCandidateError: event(
    peerConnection,
    "icecandidateerror",
    RTCPeerConnectionIceErrorEvent,
    asDelivered,
  ),
  IceConnectionStateChange: event(peerConnection, "iceconnectionstatechange"),
  IceGatheringStateChange: event(peerConnection, "icegatheringstatechange"),
  ConnectionStateChange: event(peerConnection, "connectionstatechange"),
  DataChannel: event(peerConnection, "datachannel", RTCDataChannelEvent, withChannel),
  Track: event(peerConnection, "track", RTCTrackEvent, withReceiver),

  IceTransportStateChange: event(object, "statechange"),
  IceTransportGatheringStateChange: event(object, "gatheringstatechange"),
  SelectedCandidatePairChange: event(object, "selectedcandidatepairchange"),
  DtlsTransportStateChange: event(object, "statechange"),
  DtlsTransportError: event(object, "error", RTCErrorEvent, withError),
  SctpTransportStateChange: event(object, "statechange"),

  Open: event(channel, "open"),
  Closing: event(channel, "closing"),
  Close: event(closedChannel, "close"),
  BufferedAmountLow: event(channel, "bufferedamountlow"),
  DataChannelError: event(channel, "error", RTCErrorEvent, withError),
  Message(connection, key, data) {
    const channel = connection.knownChannel(key);
    if (channel !== undefined) fireMessage(channel, data, connection.inTask);
  },

  Mute: event(object, "mute"),
  Unmute: event(object, "unmute"),
  Ended: event(object, "ended"),
  AddTrack: event(object, "addtrack", MediaStreamTrackEvent, withTrack),
  RemoveTrack: event(object, "removetrack", MediaStreamTrackEvent, withTrack),
  ToneChange: event(dtmfSender, "tonechange", RTCDTMFToneChangeEvent, withTone),
};

// The same table, by the numbers that the addon gives the kinds.
const deliveries = [];
for (const [name, kind] of Object.entries(DeliveryKind)) deliveries[kind] = byName[name];

module.exports = { byName, deliveries };
