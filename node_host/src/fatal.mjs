/** What was thrown -> why the interpreter is lost, in words for the person whose session it was. */

const MAX_MESSAGE_CHARS = 2000;
const STACK = /maximum call stack size|stack overflow|too much recursion/i;
const MEMORY = /out of memory|array buffer allocation failed|could not allocate|cannot enlarge memory/i;

/**
 * An error's text alone: Node would print the line of Pyodide's source around it, a megabyte long.
 * @param {unknown} error
 */
export function messageOf(error) {
  return String(/** @type {any} */ (error)?.message ?? error);
}

/**
 * Whether nothing of the interpreter can be used after this error. Others come from JavaScript
 * that the user's code reached, and do not concern the interpreter.
 * @param {unknown} error
 */
export function isFatal(error) {
  const { pyodide_fatal_error: told, name } = /** @type {any} */ (error ?? {});
  return Boolean(told) || name === "FrameError" || error instanceof WebAssembly.RuntimeError;
}

/**
 * @param {unknown} error
 * @returns {{ cause: "memory" | "stack" | "fatal", message: string }}
 */
export function describeFatal(error) {
  const text = messageOf(error).slice(0, MAX_MESSAGE_CHARS);
  if (STACK.test(text))
    return { cause: "stack", message: `The code recursed deeper than the stack is: ${text}` };
  if (MEMORY.test(text) || /** @type {any} */ (error)?.type === "MemoryError")
    return { cause: "memory", message: `The interpreter ran out of memory: ${text}` };
  if (/** @type {any} */ (error)?.constructor?.name === "Exit")
    return { cause: "fatal", message: `The code ended the interpreter itself: ${text}` };
  return { cause: "fatal", message: `The interpreter failed: ${text}` };
}
