// From a change of a variable to the execution that made it.
import { attempt } from "../notices.ts";
import type { OpenSession } from "../open_session.ts";
import type { Point } from "../variable_history.ts";
import { closeDialog } from "./modal.tsx";

export function ExecutionLink({ open, point }: { open: OpenSession; point: Point }) {
  const { execution, number } = point;
  if (execution === null) return null;
  return (
    <button class="link" data-testid="show-execution" title="Show it in the transcript"
      onClick={() => showExecution(open, execution)}>
      {number === null ? "an execution" : `In[${number}]`}
    </button>
  );
}

export function showExecution(open: OpenSession, execution: string): void {
  closeDialog();
  attempt(() => open.showExecution(execution));
}
