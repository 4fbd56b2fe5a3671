// The module's interfaces as globals, which is where a browser has its own.
import * as peerconnection from "../../crates/node/lib/index.mjs";

for (const [name, value] of Object.entries(peerconnection)) {
  if (/^(RTC|MediaStream)/.test(name) && !(name in globalThis)) {
    Object.defineProperty(globalThis, name, { value, writable: true, configurable: true });
  }
}
