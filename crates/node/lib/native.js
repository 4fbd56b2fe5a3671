"use strict";

// The addon. `connection.js` installs the functions that it calls.
module.exports = require("../peerconnection.node");
