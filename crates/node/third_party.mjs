// The licences of all that is linked into the addon, which whoever passes it on must pass on, too.
import { execFileSync } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import path from "node:path";

const ADDON = "peerconnection-node";
const isLicence = name => /^(licen[cs]e|copying|notice|copyright|unlicense)/i.test(name);

/** The packages that are linked into the addon, from the registry. */
function linked(cwd) {
  const cargo = process.env.CARGO ?? "cargo";
  const [host] = /^host: .*$/m.exec(execFileSync("rustc", ["-vV"], { encoding: "utf8" }));
  const platform = ["--filter-platform", host.slice("host: ".length)];
  const options = { cwd, encoding: "utf8", maxBuffer: 1 << 28 };
  const metadata = ["metadata", "--locked", "--format-version", "1", ...platform];
  const { packages, resolve } = JSON.parse(execFileSync(cargo, metadata, options));
  const nodes = new Map(resolve.nodes.map(node => [node.id, node]));
  const found = new Set();
  const visit = id => {
    if (found.has(id)) return;
    found.add(id);
    for (const { pkg, dep_kinds } of nodes.get(id).deps) {
      if (dep_kinds.some(({ kind }) => kind === null)) visit(pkg);
    }
  };
  visit(packages.find(({ name }) => name === ADDON).id);
  return packages.filter(({ id, source }) => found.has(id) && source !== null);
}

/** The text of all licences, each once, behind the names of the packages that have it. */
export function thirdPartyLicences(cwd) {
  const lines = [
    "The addon contains these packages of Rust, unmodified. The source of each is in its",
    "registry, under name and version. Below the list are the licences that they come with.",
    "",
  ];
  // text -> the packages that have it
  const texts = new Map();
  for (const { name, version, license, manifest_path } of linked(cwd)) {
    lines.push(`${name} ${version}: ${license}`);
    const folder = path.dirname(manifest_path);
    for (const file of readdirSync(folder).filter(isLicence).sort()) {
      let text;
      try {
        text = readFileSync(path.join(folder, file), "utf8").replaceAll("\r\n", "\n").trim();
      } catch (error) {
        if (error.code === "EISDIR") continue;
        throw error;
      }
      texts.set(text, [...(texts.get(text) ?? []), `${name} ${version}`]);
    }
  }
  for (const [text, owners] of texts)
    lines.push("", "-".repeat(80), `${owners.join(", ")}:`, "", text);
  return `${lines.join("\n")}\n`;
}
