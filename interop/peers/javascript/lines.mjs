// The signalling protocol of interop/README.md: one JSON object a line, on standard input/output.
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import path from "node:path";
import { createInterface } from "node:readline";

export const tell = event => process.stdout.write(`${JSON.stringify(event)}\n`);

/** Carries out commands one after another, until standard input ends. */
export async function serve(commands) {
  for await (const line of createInterface({ input: process.stdin })) {
    const { id, do: name, ...given } = JSON.parse(line);
    try {
      tell({ id, ok: (await commands[name](given)) ?? null });
    } catch (error) {
      tell({ id, error: `${error.name ?? "Error"}: ${error.message ?? error}` });
    }
  }
  process.exit(0);
}

/** A package and its version. The packages are not installed beside these files. */
export function load(name) {
  const packages = process.env.INTEROP_PACKAGES;
  const library = createRequire(path.join(packages, "package.json"))(name);
  // Not by `require`, which sees only what a package exports.
  const described = readFileSync(path.join(packages, "node_modules", name, "package.json"));
  return { library, version: JSON.parse(described).version };
}

export const isEchoed = label => label.startsWith("echo");
