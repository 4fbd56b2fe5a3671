// Runs an example in Node. The examples themselves are as they run in a browser.
//
//   node node.mjs data_channel|perfect_negotiation|restart_ice [--json]
//
// Prints what happens, then the result; with --json the result alone.
const [name, option] = process.argv.slice(2);
if (!["data_channel", "perfect_negotiation", "restart_ice"].includes(name)) {
  console.error("which one? data_channel, perfect_negotiation or restart_ice");
  process.exit(2);
}
if (!globalThis.RTCPeerConnection) await import("./globals.mjs");

const { run } = await import(`./${name}.mjs`);
const result = await run(option === "--json" ? () => {} : console.log);
console.log(JSON.stringify(result, null, option === "--json" ? undefined : 2));
