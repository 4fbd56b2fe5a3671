"use strict";

// The platforms with a prebuilt addon, each a package of its own that npm installs where it fits:
// what `process.platform` and `process.arch` say, and on Linux the C library.
const PLATFORMS = [
  { os: "linux", cpu: "x64", libc: "glibc" },
  { os: "linux", cpu: "arm64", libc: "glibc" },
  { os: "darwin", cpu: "x64" },
  { os: "darwin", cpu: "arm64" },
  { os: "win32", cpu: "x64" },
];

const nameOf = ({ os, cpu }) => `@peerconnection/${os}-${cpu}`;

function packageOf(os, cpu) {
  const platform = PLATFORMS.find(platform => platform.os === os && platform.cpu === cpu);
  return platform && nameOf(platform);
}

module.exports = { PLATFORMS, nameOf, packageOf };
