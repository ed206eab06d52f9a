/**
 * Node host → the user's code: what JavaScript still finds of Node once the interpreter has started. A
 * second layer behind the jail, in force with --permission.
 */
import fs from "node:fs";
import process from "node:process";
import { format } from "node:util";

const NO_NETWORK = "A session has no network: put what it needs into a variable or a file.";
const STANDARD_ERROR = 2;
// What opens, loads, signals or reveals; the host itself needs none of it after the start.
const OF_PROCESS = [
  ...["_debugEnd", "_debugProcess", "_getActiveHandles", "_getActiveRequests", "_kill", "_linkedBinding"],
  ...["_startProfilerIdleNotifier", "abort", "argv", "binding", "chdir", "config", "dlopen", "env"],
  ...["execArgv", "execPath", "execve", "getBuiltinModule", "initgroups", "kill", "loadEnvFile"],
  ...["mainModule", "openStdin", "report", "setegid", "seteuid", "setgid", "setgroups", "setuid"],
  ...["stderr", "stdin", "stdout"],
];
const OF_GLOBALS = ["EventSource", "WebSocket", "Worker", "global", "module", "require"];
const OF_PYODIDE = ["mountNativeFS", "mountNodeFS", "useNodeSockFS"];
const OF_FILE_SYSTEMS = ["NODEFS", "NODERAWFS", "NODESOCKFS"];
const ENOSYS = 52;

/** Whether this process was started with the flags that this layer is a part of. */
export const isInForce = () => Boolean(process.permission);

/** os.system(): without a shell to ask, as in a browser; Node's refusal would end the interpreter. */
export const emscriptenSystem = (/** @type {number} */ command) => (command ? -ENOSYS : 0);

/**
 * Take away what leads to the host. Math, Date, JSON, timers, typed arrays, crypto and the like stay.
 * @param {import("./interpreter.mjs").Pyodide} pyodide
 */
export function raise(pyodide) {
  if (!isInForce()) return;
  const { console, process: shown } = substitutes();
  // Pyodide puts others in the place of all that it has when it is lost, before it says so.
  hide(pyodide, OF_PYODIDE, { configurable: true });
  hide(pyodide.FS.filesystems, OF_FILE_SYSTEMS);
  hide(globalThis, OF_GLOBALS);
  hide(process, OF_PROCESS);
  put(globalThis, { process: shown, console, fetch: refuseNetwork });
  // Node's own Request and Response would make an agent that connects.
  put(globalThis, { [Symbol.for("undici.globalDispatcher.1")]: { dispatch: refuseNetwork } });
}

/** @returns {Promise<never>} */
function refuseNetwork() {
  return Promise.reject(new TypeError(NO_NETWORK));
}

/** What libraries, and Pyodide itself, read of Node: facts, and nothing that does anything. */
function substitutes() {
  const { version, versions, platform, arch, release } = process;
  const facts = { version, versions: { ...versions }, platform, arch, release: { name: release.name } };
  const print = (/** @type {unknown[]} */ ...values) => {
    fs.writeSync(STANDARD_ERROR, `${format(...values)}\n`);
  };
  const console = Object.fromEntries(
    ["debug", "dir", "error", "info", "log", "trace", "warn"].map((name) => [name, print]),
  );
  return {
    console,
    process: { ...facts, argv: [], env: {}, stdin: { fd: 0 }, getuid: () => 0, umask: () => 0o22 },
  };
}

/**
 * @param {object} holder
 * @param {string[]} names
 * @param {PropertyDescriptor} [how]
 */
function hide(holder, names, how) {
  for (const name of names) if (name in holder) put(holder, { [name]: undefined }, how);
}

/**
 * @param {object} holder
 * @param {Record<string | symbol, unknown>} values
 * @param {PropertyDescriptor} [how]
 */
function put(holder, values, how = { configurable: false }) {
  for (const name of Reflect.ownKeys(values)) {
    // Some of Node's are made when they are first touched, WebSocket with 15 MB; gone, it is not.
    Reflect.deleteProperty(holder, name);
    Object.defineProperty(holder, name, {
      value: values[name],
      writable: false,
      enumerable: false,
      ...how,
    });
  }
}
