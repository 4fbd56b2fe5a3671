// A program that waits for its peer is not over, though nothing but connections keeps it alive.
import { connect } from "./peers.mjs";

const { a, b } = await connect();
const back = b.createDataChannel("back");
a.ondatachannel = ({ channel }) => channel.send("over both");
const { data } = await new Promise(resolve => (back.onmessage = resolve));
console.log(data);
a.close();
b.close();
