"use strict";

// mediacapture-main §4.3, §11: the dictionaries of constraints

const {
  isObject,
  boolean,
  DOMString,
  double,
  integer,
  sequence,
  orSequence,
  dictionary,
} = require("./webidl.js");

const clampedLong = integer(32, { mode: "clamp" });

// The union `(T or dictionary)`: an object is converted to the dictionary.
const orDictionary = (convert, members) => (value, what) =>
  isObject(value) || value === null || value === undefined
    ? members(value, what)
    : convert(value, what);

const ConstrainULong = orDictionary(
  clampedLong,
  dictionary(
    "ConstrainULongRange",
    { min: clampedLong, max: clampedLong },
    { exact: clampedLong, ideal: clampedLong },
  ),
);
const ConstrainDouble = orDictionary(
  double,
  dictionary(
    "ConstrainDoubleRange",
    { min: double, max: double },
    { exact: double, ideal: double },
  ),
);
const ConstrainBoolean = orDictionary(
  boolean,
  dictionary("ConstrainBooleanParameters", { exact: boolean, ideal: boolean }),
);
const booleanOrString = (value, what) =>
  typeof value === "boolean" ? value : DOMString(value, what);
const ConstrainBooleanOrDOMString = orDictionary(
  booleanOrString,
  dictionary("ConstrainBooleanOrDOMStringParameters", {
    exact: booleanOrString,
    ideal: booleanOrString,
  }),
);

const strings = orSequence(DOMString);
const stringParameters = dictionary("ConstrainDOMStringParameters", {
  exact: strings,
  ideal: strings,
});
function ConstrainDOMString(value, what) {
  const isSequence = isObject(value) && (value[Symbol.iterator] ?? null) !== null;
  return isSequence ? strings(value, what) : orDictionary(DOMString, stringParameters)(value, what);
}

const set = {
  width: ConstrainULong,
  height: ConstrainULong,
  aspectRatio: ConstrainDouble,
  frameRate: ConstrainDouble,
  facingMode: ConstrainDOMString,
  resizeMode: ConstrainDOMString,
  sampleRate: ConstrainULong,
  sampleSize: ConstrainULong,
  echoCancellation: ConstrainBooleanOrDOMString,
  autoGainControl: ConstrainBoolean,
  noiseSuppression: ConstrainBoolean,
  latency: ConstrainDouble,
  channelCount: ConstrainULong,
  deviceId: ConstrainDOMString,
  groupId: ConstrainDOMString,
  backgroundBlur: ConstrainBoolean,
};
const MediaTrackConstraintSet = dictionary("MediaTrackConstraintSet", set);
const MediaTrackConstraints = dictionary("MediaTrackConstraints", set, {
  advanced: sequence(MediaTrackConstraintSet),
});

const trackConstraints = orDictionary(boolean, MediaTrackConstraints);
const MediaStreamConstraints = dictionary("MediaStreamConstraints", {
  video: { convert: trackConstraints, fallback: false },
  audio: { convert: trackConstraints, fallback: false },
});

const supportedConstraints = Object.keys(set);

module.exports = { MediaTrackConstraints, MediaStreamConstraints, supportedConstraints };
