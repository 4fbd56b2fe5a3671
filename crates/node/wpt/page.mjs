// What is in a test file: the page's title, its scripts in order, the elements that have an id.
import fs from "node:fs";
import path from "node:path";

/** As the server of web-platform-tests does with files that are named `*.sub.*`. */
export const substitute = text =>
  text.replace(/\{\{([^}]+)\}\}/g, (_, name) => (name.startsWith("ports") ? "8000" : "localhost"));

function resolve(source, file) {
  const { pathname } = new URL(source, `http://localhost/${file}`);
  const name = decodeURIComponent(pathname).replace(/^\//, "");
  // The server has this alias.
  return name === "resources/WebIDLParser.js" ? "resources/webidl2/lib/webidl2.js" : name;
}

const ENTITIES = { lt: "<", gt: ">", quot: '"', "#39": "'", amp: "&" };
const decode = text => text.replace(/&(lt|gt|quot|#39|amp);/g, (_, name) => ENTITIES[name]);

/**
 * `{title, ids: [{tag, id}], scripts}`; a script is `{src}`, a file under the root, or
 * `{code, name, line}`, text of the page itself.
 */
export function parsePage(root, file) {
  const text = fs.readFileSync(path.join(root, file), "utf8");
  return file.endsWith(".js") ? parseScript(text, file) : parseMarkup(text, file);
}

function parseScript(text, file) {
  const metas = [...text.matchAll(/^\/\/ META: (\w+)=(.*)$/gm)];
  const needed = metas.filter(([, key]) => key === "script");
  return {
    title: metas.find(([, key]) => key === "title")?.[2] ?? "",
    ids: [],
    scripts: [
      ...needed.map(([, , value]) => ({ src: resolve(value.trim(), file) })),
      { src: file },
    ],
  };
}

const COMMENT_OR_SCRIPT = /<!--[\s\S]*?-->|<script\b([^>]*)>([\s\S]*?)<\/script\s*>/gi;
const SRC = /\bsrc\s*=\s*(?:"([^"]*)"|'([^']*)'|([^\s>]+))/i;

function parseMarkup(text, file) {
  const scripts = [];
  const markup = text.replace(COMMENT_OR_SCRIPT, (whole, attributes, code, offset) => {
    if (attributes === undefined) return "";
    const source = SRC.exec(attributes);
    if (source) {
      scripts.push({ src: resolve(source[1] ?? source[2] ?? source[3], file) });
    } else {
      const before = text.slice(0, offset + whole.indexOf(">") + 1);
      scripts.push({ code, name: file, line: before.split("\n").length - 1 });
    }
    return "";
  });
  const elements = markup.matchAll(/<(\w+)[^>]*\bid\s*=\s*["']?([\w-]+)/gi);
  return {
    title: decode(/<title[^>]*>([\s\S]*?)<\/title>/i.exec(markup)?.[1] ?? ""),
    ids: [...elements].map(([, tag, id]) => ({ tag: tag.toLowerCase(), id })),
    scripts,
  };
}
