"use strict";

// mediacapture-main §4.3.8, §5: the synthetic devices with their capabilities and settings, which are
// those of the media that they play

const { settle } = require("./constrain.js");

class Source {
  #settings;

  constructor(label, usual, capabilities, settings) {
    this.label = label;
    this.capabilities = capabilities;
    this.#settings = { ...usual };
    for (const [name, value] of Object.entries(settings)) {
      if (value !== undefined && name in usual) this.#settings[name] = value;
    }
  }

  getCapabilities() {
    return structuredClone(this.capabilities);
  }
  getSettings() {
    return { ...this.#settings };
  }
  clone() {
    return new this.constructor(this.#settings);
  }

  // "applyConstraints algorithm": throws an OverconstrainedError.
  apply(constraints) {
    this.#settings = settle(this.capabilities, this.#settings, constraints);
  }
}

const groupId = "synthetic";

class Tone extends Source {
  constructor(settings = {}) {
    super(
      "a tone",
      {
        deviceId: "tone",
        groupId,
        sampleRate: 48000,
        sampleSize: 16,
        channelCount: 1,
        latency: 0.02,
        echoCancellation: false,
        autoGainControl: false,
        noiseSuppression: false,
      },
      {
        deviceId: "tone",
        groupId,
        sampleRate: { min: 48000, max: 48000 },
        sampleSize: { min: 16, max: 16 },
        channelCount: { min: 1, max: 1 },
        latency: { min: 0.02, max: 0.02 },
        echoCancellation: [false],
        autoGainControl: [false],
        noiseSuppression: [false],
      },
      settings,
    );
  }
}

class MovingPicture extends Source {
  constructor(settings = {}) {
    super(
      "a moving picture",
      {
        deviceId: "picture",
        groupId,
        width: 320,
        height: 240,
        aspectRatio: 320 / 240,
        frameRate: 10,
        facingMode: "user",
        resizeMode: "none",
      },
      {
        deviceId: "picture",
        groupId,
        width: { min: 320, max: 320 },
        height: { min: 240, max: 240 },
        aspectRatio: { min: 320 / 240, max: 320 / 240 },
        frameRate: { min: 10, max: 10 },
        facingMode: ["user"],
        resizeMode: ["none"],
      },
      settings,
    );
  }
}

module.exports = { Tone, MovingPicture };
