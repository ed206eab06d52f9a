/** What loading leaves behind is 40 MB that V8 would keep until it needs them. */
import v8 from "node:v8";
import vm from "node:vm";

export function collectGarbage() {
  v8.setFlagsFromString("--expose-gc");
  const collect = vm.runInNewContext("gc");
  v8.setFlagsFromString("--no-expose-gc");
  collect();
  collect(); // the second one frees what finalizers let go of
}
