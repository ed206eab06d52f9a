/** Server → a jailed Node without Pyodide: tries to reach the host, and prints what came of each attempt. */
import { spawnSync } from "node:child_process";
import dgram from "node:dgram";
import fs from "node:fs";
import net from "node:net";
import os from "node:os";

/**
 * Decoys of the server: a file and folder that anybody may use, sockets that answer, its number.
 * @typedef {{ file: string, folder: string, socket: string, tcp: number, udp: number, pid: number }} Decoys
 */

/**
 * Each returns what it got hold of; throwing, it was refused.
 * @param {Decoys} decoys
 * @returns {Record<string, () => unknown>}
 */
function attempts({ file, folder, socket, tcp, udp, pid }) {
  return {
    "inherit a descriptor": () => foreignDescriptor(),
    "read a file": () => fs.readFileSync(file, "utf8"),
    "list a folder": () => fs.readdirSync(folder),
    "write a file": () => fs.openSync(`${folder}/written`, "w"),
    "change a file": () => fs.writeSync(fs.openSync(file, "r+"), "by a session"),
    "read the system's users": () => fs.readFileSync("/etc/passwd", "utf8"),
    "read the server's environment": () => fs.readFileSync(`/proc/${pid}/environ`),
    "read the server's descriptors": () => fs.readdirSync(`/proc/${pid}/fd`),
    "signal the server": () => pid !== process.pid && process.kill(pid, 0),
    "change the server's priority": () => pid !== process.pid && priority(pid),
    "start a program": () => started(spawnSync(process.execPath, ["--version"])),
    "start a shell": () => started(spawnSync("/bin/sh", ["-c", "exit 0"])),
    "inherit an environment": () => Object.keys(process.env).find((name) => !isOurs(name)),
    "connect to a TCP port": () => answered((done) => net.connect(tcp, "127.0.0.1", done)),
    "connect to a Unix socket": () => answered((done) => net.connect(socket, done)),
    "send a datagram": () => answered((done) => datagram(udp, done)),
    "listen at a port": () => answered((done) => net.createServer().listen(0, "127.0.0.1", done)),
  };
}

/** @param {import("node:child_process").SpawnSyncReturns<Buffer>} result */
function started(result) {
  if (result.error) throw result.error;
  return result.pid;
}

/** @param {number} pid */
function priority(pid) {
  os.setPriority(pid, os.getPriority(pid));
  return true;
}

/** A file, a folder or a socket that nobody here has opened. */
function foreignDescriptor() {
  for (let number = 3; number < 64; number += 1)
    try {
      const found = fs.fstatSync(number);
      if (found.isFile() || found.isDirectory() || found.isSocket()) return number;
    } catch {
      // It is not open.
    }
  return undefined;
}

/**
 * @param {number} port
 * @param {() => void} done
 */
function datagram(port, done) {
  const sender = dgram.createSocket("udp4");
  sender.connect(port, "127.0.0.1", () => sender.send("by a session", done));
  return sender;
}

/** @param {string} name */
function isOurs(name) {
  return name === "OPENSSL_CONF" || name.startsWith("MALLOC_");
}

/**
 * @param {(done: () => void) => import("node:events").EventEmitter | void} begin
 * @returns {Promise<boolean>} whether it came to `done`
 */
function answered(begin) {
  return new Promise((resolve, reject) => {
    const emitter = begin(() => resolve(true));
    emitter?.on("error", reject);
    setTimeout(() => reject(new Error("no answer")), 100);
  });
}

process.on("uncaughtException", () => {}); // a refused socket may tell nobody but the process
for (const [name, attempt] of Object.entries(attempts(JSON.parse(process.argv[2] ?? "")))) {
  let found;
  let why = "";
  try {
    found = await attempt();
  } catch (error) {
    why = String(/** @type {Error} */ (error).message);
  }
  const gotOut = found !== undefined && found !== false;
  fs.writeSync(1, `${JSON.stringify({ name, got_out: gotOut, why })}\n`);
}
process.exit(0);
