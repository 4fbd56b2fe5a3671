"use strict";

// The addon. What it needs of this layer is installed by `connection.js`.
module.exports = require("../peerconnection.node");
