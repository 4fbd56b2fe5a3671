// Which files of a web-platform-tests checkout are tests.
import fs from "node:fs";
import path from "node:path";

const WITHOUT_TESTS = ["tools", "third_party", "resources", "coverage"];
const LONG_SCRIPT = /META:\s*timeout=long/;
const LONG_PAGE = /<meta\s+name=["']?timeout["']?\s+content=["']?long/;

/** `[{file, long}]` of the tests under `dir`, in order; `file` is relative to `root`. */
export function listTests(root, dir) {
  const read = file => fs.readFileSync(path.join(root, file), "utf8");
  const entries = fs.readdirSync(path.join(root, dir), { withFileTypes: true });
  entries.sort((a, b) => (a.name < b.name ? -1 : 1));
  return entries.flatMap(entry => {
    const file = `${dir}/${entry.name}`;
    if (entry.isDirectory()) return WITHOUT_TESTS.includes(entry.name) ? [] : listTests(root, file);
    if (/\.(window|any)\.js$/.test(file)) return { file, long: LONG_SCRIPT.test(read(file)) };
    if (!file.endsWith(".html")) return [];
    const page = read(file);
    return page.includes("testharness.js") ? { file, long: LONG_PAGE.test(page) } : [];
  });
}

/** Selects tests by filters: `=` with the exact file, or a part of its name. */
export function selectTests(tests, filters) {
  if (!filters.length) return tests;
  const matches = (file, filter) =>
    filter.startsWith("=") ? file === filter.slice(1) : file.includes(filter);
  return tests.filter(({ file }) => filters.some(filter => matches(file, filter)));
}
