"use strict";

// mediacapture-main §4.3.8, §5: the synthetic devices with their capabilities and settings

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
        latency: 0.01,
        echoCancellation: false,
        autoGainControl: false,
        noiseSuppression: false,
      },
      {
        deviceId: "tone",
        groupId,
        sampleRate: { min: 8000, max: 48000 },
        sampleSize: { min: 16, max: 16 },
        channelCount: { min: 1, max: 2 },
        latency: { min: 0.01, max: 0.02 },
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
        width: 640,
        height: 480,
        aspectRatio: 640 / 480,
        frameRate: 30,
        facingMode: "user",
        resizeMode: "none",
      },
      {
        deviceId: "picture",
        groupId,
        width: { min: 1, max: 3840 },
        height: { min: 1, max: 2160 },
        aspectRatio: { min: 1 / 2160, max: 3840 },
        frameRate: { min: 1, max: 60 },
        facingMode: ["user"],
        resizeMode: ["none", "crop-and-scale"],
      },
      settings,
    );
  }

  getSettings() {
    const settings = super.getSettings();
    return { ...settings, aspectRatio: settings.width / settings.height };
  }
}

module.exports = { Tone, MovingPicture };
