// Loaded before simple-peer's tests: gives them what they look for outside of their folder.
const { join } = require("node:path");
const Module = require("node:module");

const module_ = require("../../crates/node");
const { createTrack } = require("../../crates/node/lib/testing");

// The sources of pictures that the tests make tracks with are the implementation's own matter.
class RTCVideoSource {
  createTrack() {
    return createTrack("video");
  }
}

const outside = {
  wrtc: { ...module_, nonstandard: { RTCVideoSource } },
  // Asks a server for ICE servers. There are none: both peers are in one process.
  "simple-get": { concat: (_, done) => done(null, null, Buffer.from('{"iceServers":[]}')) },
  // Tells browsers apart.
  bowser: {},
};

const packages = Module.createRequire(join(process.env.INTEROP_PACKAGES, "package.json"));
const load = Module._load;
Module._load = function (request, parent, isMain) {
  if (!parent?.filename.startsWith(process.env.INTEROP_TESTS))
    return load.call(this, request, parent, isMain);
  if (request in outside) return outside[request];
  const isPackage = !request.startsWith(".") && !Module.isBuiltin(request);
  return isPackage ? packages(request) : load.call(this, request, parent, isMain);
};
