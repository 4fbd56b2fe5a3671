// Makes the npm packages of this machine out of what `npm run build` has built, in the folder
// `packages`: `peerconnection`, which is JavaScript, and the one with the addon of this platform.
//
//   node packages.mjs [--limit MB]
//
// With a limit, a package that has more to download is an error. The addon keeps 5 MB if it is
// optimised as a whole: CARGO_PROFILE_RELEASE_LTO=thin CARGO_PROFILE_RELEASE_CODEGEN_UNITS=1.
import { execFileSync } from "node:child_process";
import { cpSync, mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import path from "node:path";
import { fileURLToPath } from "node:url";

import platforms from "./lib/platforms.js";
import { thirdPartyLicences } from "./third_party.mjs";

const { PLATFORMS, nameOf, packageOf } = platforms;
const here = path.dirname(fileURLToPath(import.meta.url));
const out = path.join(here, "packages");
const LICENSES = ["LICENSE-MIT", "LICENSE-APACHE"];
const [option, limit] = process.argv.slice(2);
if (option !== undefined && !(option === "--limit" && Number(limit) > 0)) {
  console.error("node packages.mjs [--limit MB]");
  process.exit(2);
}

const manifest = JSON.parse(readFileSync(path.join(here, "package.json"), "utf8"));
const { version, license, author, homepage, repository, bugs, engines } = manifest;
const shared = { version, license, author, homepage, repository, bugs, engines };

/** Makes a package of these files of this folder, and of these texts. */
function pack(name, contents, files, texts = {}) {
  const folder = path.join(out, name.replace("/", "-").replace("@", ""));
  mkdirSync(folder);
  for (const file of [...LICENSES, ...files]) {
    cpSync(path.join(here, file), path.join(folder, file), { recursive: true });
  }
  const made = { "package.json": `${JSON.stringify({ name, ...contents }, null, 2)}\n`, ...texts };
  for (const [file, text] of Object.entries(made)) writeFileSync(path.join(folder, file), text);
  const npm = process.platform === "win32" ? "npm.cmd" : "npm";
  const options = { cwd: out, encoding: "utf8", shell: process.platform === "win32" };
  const packed = execFileSync(npm, ["pack", "--silent", `./${path.basename(folder)}`], options);
  const file = path.join(out, packed.trim().split("\n").pop());
  const { size } = statSync(file);
  console.log(`${path.relative(process.cwd(), file)}: ${(size / 1e6).toFixed(2)} MB`);
  if (size > Number(limit ?? Infinity) * 1e6) throw new Error(`more than ${limit} MB: ${file}`);
}

rmSync(out, { recursive: true, force: true });
mkdirSync(out);

const { scripts: _, devDependencies: __, files, ...published } = manifest;
pack(
  manifest.name,
  {
    ...published,
    files: files.filter(file => !file.endsWith(".node")),
    optionalDependencies: Object.fromEntries(PLATFORMS.map(each => [nameOf(each), version])),
  },
  ["README.md", "lib"],
);

const platform = PLATFORMS.find(each => nameOf(each) === packageOf(process.platform, process.arch));
if (platform === undefined) {
  console.log(`no package for ${process.platform} ${process.arch}: see lib/platforms.js`);
} else {
  const { os, cpu, libc } = platform;
  const name = nameOf(platform);
  const description = `The addon of peerconnection for ${os} ${cpu}`;
  pack(
    name,
    {
      ...shared,
      description,
      main: "peerconnection.node",
      files: ["peerconnection.node", "THIRD-PARTY-LICENSES", ...LICENSES],
      os: [os],
      cpu: [cpu],
      ...(libc && { libc: [libc] }),
    },
    ["peerconnection.node"],
    {
      "README.md": `# ${name}\n\n${description}. [peerconnection](${homepage}) depends on it.\n`,
      "THIRD-PARTY-LICENSES": thirdPartyLicences(here),
    },
  );
}
