// A headless Chromium that runs a module of a folder and gives back what its run() resolves with.
// The page posts it to the server that it came from, so no protocol of the browser is needed.
import { spawn } from "node:child_process";
import fs from "node:fs";
import http from "node:http";
import os from "node:os";
import path from "node:path";

const NAMES = ["chromium", "chromium-browser", "google-chrome"];

const ARGUMENTS = [
  "--headless=new",
  "--no-sandbox",
  "--disable-gpu",
  "--disable-dev-shm-usage",
  "--disable-background-networking",
  "--disable-component-update",
  "--no-first-run",
  // On a machine without a network Chromium ignores the loopback interface, and never shows
  // addresses.
  "--allow-loopback-in-peer-connection",
  "--disable-features=WebRtcHideLocalIpsWithMdns",
];

/** The program, or undefined if none is installed. */
export function findChromium() {
  const folders = (process.env.PATH ?? "").split(path.delimiter);
  const candidates = NAMES.flatMap(name => folders.map(folder => path.join(folder, name)));
  return candidates.find(file => fs.existsSync(file));
}

const page = name => `<!doctype html>
<meta charset="utf-8">
<script type="module">
  const post = (path, value) => fetch(path, { method: "POST", body: JSON.stringify(value) });
  try {
    const { run } = await import("/${name}");
    post("/outcome", { result: await run(line => post("/log", String(line))) });
  } catch (error) {
    post("/outcome", { error: String(error) });
  }
</script>`;

/** Chromium has said nothing in time, which says nothing about our code. */
export class NoOutcome extends Error {}

/**
 * Calls `run()` of the module `name` in `folder`; resolves and rejects as its promise does, or with
 * a `NoOutcome`.
 */
export async function runInChromium(folder, name, limitMs) {
  const outcome = withResolvers();
  const log = [];
  const told = { "/outcome": outcome.resolve, "/log": line => log.push(line) };
  const server = http.createServer((request, response) => {
    const { pathname } = new URL(request.url, "http://localhost");
    if (told[pathname]) {
      let body = "";
      request.on("data", data => (body += data));
      request.on("end", () => {
        response.end();
        told[pathname](JSON.parse(body));
      });
    } else if (pathname === "/") {
      response.setHeader("content-type", "text/html");
      response.end(page(name));
    } else {
      serve(path.join(folder, path.basename(pathname)), response);
    }
  });
  await new Promise(resolve => server.listen(0, "localhost", resolve));
  const stop = start(`http://localhost:${server.address().port}/`);
  const timer = setTimeout(
    () => outcome.reject(new NoOutcome(`no outcome after ${limitMs} ms\n${log.join("\n")}`)),
    limitMs,
  );
  try {
    const { result, error } = await outcome.promise;
    if (error) throw new Error(`${name} in Chromium: ${error}\n${log.join("\n")}`);
    return result;
  } finally {
    clearTimeout(timer);
    await stop();
    server.closeAllConnections();
    server.close();
  }
}

function serve(file, response) {
  if (!file.endsWith(".mjs") || !fs.existsSync(file)) {
    response.statusCode = 404;
    response.end();
    return;
  }
  response.setHeader("content-type", "text/javascript");
  response.end(fs.readFileSync(file));
}

/** Starts the browser. Returns a function that ends all its processes and removes its profile. */
function start(url) {
  const profile = fs.mkdtempSync(path.join(os.tmpdir(), "chromium-"));
  const child = spawn(findChromium(), [...ARGUMENTS, `--user-data-dir=${profile}`, url], {
    stdio: "ignore",
    detached: true,
  });
  const ended = new Promise(resolve => child.on("close", resolve));
  const kill = () => process.kill(-child.pid, "SIGKILL");
  process.once("exit", kill);
  return async () => {
    process.removeListener("exit", kill);
    kill();
    await ended;
    fs.rmSync(profile, { recursive: true, force: true, maxRetries: 20, retryDelay: 50 });
  };
}

// Node 20 has no Promise.withResolvers().
function withResolvers() {
  const result = {};
  result.promise = new Promise((resolve, reject) => Object.assign(result, { resolve, reject }));
  return result;
}
