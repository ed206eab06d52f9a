/** Server ⇄ Node host: the entry. Starts the interpreter, then lets the socketpair drive it. */
import process from "node:process";

import { readConfig } from "./config.mjs";
import { Control } from "./control.mjs";
import { dictWatcher } from "./dict_watcher.mjs";
import { isFatal, messageOf } from "./fatal.mjs";
import { Fingerprints } from "./fingerprints.mjs";
import { collectWhenIdle } from "./garbage.mjs";
import { Host } from "./host.mjs";
import { boot, mountMonitor, startKernel } from "./interpreter.mjs";
import { SafePoints } from "./safe_points.mjs";
import { raise } from "./second_layer.mjs";
import { Streams } from "./streams.mjs";

/** @param {import("./config.mjs").Config} config */
async function start(config) {
  const control = new Control(
    config.fd,
    (data, isPolled) => host.receiveData(data, isPolled),
    () => process.exit(0), // the server is gone, or wants no more of this process
  );
  const streams = new Streams((message) => host.send(message), config.outputBytes);
  /** @type {SafePoints} */
  const safePoints = new SafePoints((now) => host.poll(now));
  /** @type {Host} */
  const host = new Host({ ...config, control, streams, safePoints });

  const pyodide = await boot({ ...config, signalCheck: safePoints.check });
  surviveErrors(pyodide, host, streams);
  if (!config.image) mountMonitor(pyodide, config.monitorDir);
  pyodide.setStdout({ write: (bytes) => streams.write("stdout", bytes) });
  pyodide.setStderr({ write: (bytes) => streams.write("stderr", bytes) });
  const watcher = dictWatcher(pyodide, () => safePoints.comeBy());
  host.lend(new Fingerprints(pyodide._module.LDSO.loadedLibsByName.__main__.exports));
  const kernel = startKernel(pyodide, host.forKernel(watcher), (error) => host.fail(error));
  host.attach(kernel, () => pyodide._module.HEAP8.length);
  safePoints.arm(pyodide);
  raise(pyodide);
  control.listen();
  host.ready({ pyodide: pyodide.version, image: Boolean(config.image) });
  collectWhenIdle(() => host.isBusy);
}

/**
 * Tell of the end of the interpreter; print what other JavaScript, which the user's code can
 * reach, lets go unhandled.
 * @param {import("./interpreter.mjs").Pyodide} pyodide
 * @param {Host} host
 * @param {Streams} streams
 */
function surviveErrors(pyodide, host, streams) {
  pyodide._api.on_fatal = (/** @type {unknown} */ error) => host.fail(error);
  for (const event of ["uncaughtException", "unhandledRejection"])
    process.on(event, (error) => {
      if (isFatal(error)) host.fail(error);
      streams.write("stderr", Buffer.from(`JavaScript: ${error?.stack ?? error}\n`));
    });
}

try {
  await start(readConfig(process.argv[2]));
} catch (error) {
  console.error(messageOf(error));
  process.exit(1);
}
