/** Pyodide ⇄ Python: what of a suspended call Python must not look at. */

// Where a thread state keeps its innermost frame (_PyDebugOffsets, thread_state.current_frame).
export const CURRENT_FRAME = 52;

/**
 * Each suspended call has a Python thread state of its own, and the first frames of it lie on C's
 * stack, which Pyodide moves away while other calls need the place. What walks over the frames of
 * all threads, as the garbage collector does, would follow what has been written there since: a
 * crash, or a loop without end. So a suspended call shows no frames; Pyodide does the same in
 * later versions.
 * @param {Record<"saveState" | "restoreState", Function>} env of what Pyodide's WebAssembly imports
 * @param {() => WebAssembly.Memory} memory
 * @returns {Record<"saveState" | "restoreState", Function>} what to import in their place
 */
export function hideSuspendedFrames(env, memory) {
  const { saveState, restoreState } = env;
  const frameOf = (/** @type {number} */ threadState) =>
    new Uint32Array(memory().buffer, threadState + CURRENT_FRAME, 1);
  return {
    saveState: () => {
      const state = saveState();
      if (!state.threadState) return state; // an error: nothing is suspended
      const current = frameOf(state.threadState);
      state.frame = current[0];
      current[0] = 0;
      return state;
    },
    restoreState: (/** @type {any} */ state) => {
      restoreState(state);
      frameOf(state.threadState)[0] = state.frame;
    },
  };
}
