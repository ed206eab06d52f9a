/** What loading leaves behind is 40 MB that V8 would keep until it needs them. */
import v8 from "node:v8";
import vm from "node:vm";

const IDLE_MS = 100;

/**
 * Collect it when nothing runs: it takes 30 ms, which nobody should wait for.
 * @param {() => boolean} isBusy
 * @param {() => void} [collect]
 */
export function collectWhenIdle(isBusy, collect = collectGarbage) {
  setTimeout(() => {
    if (isBusy()) collectWhenIdle(isBusy, collect);
    else collect();
  }, IDLE_MS).unref();
}

/** Collect it now. */
export function collectGarbage() {
  v8.setFlagsFromString("--expose-gc");
  const collect = vm.runInNewContext("gc");
  v8.setFlagsFromString("--no-expose-gc");
  collect();
  collect(); // the second one frees what finalizers let go of
}
