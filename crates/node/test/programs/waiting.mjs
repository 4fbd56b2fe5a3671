// A program that waits for its peer does not end, although only its connections keep it alive.
import { connect } from "./peers.mjs";

const { a, b } = await connect();
const back = b.createDataChannel("back");
a.ondatachannel = ({ channel }) => channel.send("over both");
const { data } = await new Promise(resolve => (back.onmessage = resolve));
console.log(data);
a.close();
b.close();
