// The changes of a watch, the newest first.
import { clock } from "../format.ts";
import type { Calls } from "../messages.ts";
import type { OpenSession } from "../open_session.ts";

export type Change = Calls["watch.history"]["reply"]["changes"][number];

export function Changes({ open, changes }: { open: OpenSession; changes: readonly Change[] }) {
  const number = (execution: string | null) =>
    open.session.value?.executions.find((each) => each.execution === execution)?.number;
  return (
    <>
      <h3>Changes</h3>
      <table class="changes" data-testid="variable-history">
        <tbody>
          {changes.map(({ seq, time, execution, line, preview }) => (
            <tr key={seq}>
              <td class="quiet">{clock(time)}</td>
              <td class="quiet">{number(execution) !== undefined && `In[${number(execution)}]`}
                {line ? `, line ${line}` : ""}</td>
              <td><code>{preview ?? "deleted"}</code></td>
            </tr>
          ))}
        </tbody>
      </table>
    </>
  );
}
