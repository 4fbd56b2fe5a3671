// Subtests of the tree of September 2021 whose expectation the specification has since changed.
import fs from "node:fs";

const LIST = new URL("obsolete-2021.json", import.meta.url);

/** `(file, subtest name) => reason`, or undefined for one that is still valid. */
export function obsoleteReasons() {
  const entries = JSON.parse(fs.readFileSync(LIST, "utf8"));
  return (file, name) => {
    const found = entries.find(
      entry => file === `webrtc/${entry.file}` && new RegExp(entry.match).test(name),
    );
    return found && `out of date, ${found.section}: ${found.why}`;
  };
}
