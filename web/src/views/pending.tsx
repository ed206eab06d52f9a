// Code that was entered here and that the server has not accepted yet.
import type { OpenSession } from "../open_session.ts";
import type { Outgoing } from "../outbox.ts";
import { link } from "../page.ts";
import { CodeText } from "./code_text.tsx";

export function PendingExecution({ outgoing, open }: { outgoing: Outgoing; open: OpenSession }) {
  const waits = link.value !== "connected";
  const takeBack = () => {
    open.discard(outgoing.execution);
    open.putCode(outgoing.code);
  };
  return (
    <article class="execution pending" data-testid="pending" data-execution={outgoing.execution}>
      <div class="part">
        <div class="prompt"><span class="number">In[ ]</span></div>
        <div class="body">
          <div class="code-line">
            <pre class="code"><CodeText code={outgoing.code} /></pre>
            <span class="meta">
              {waits ? "waits for the connection" : "sending…"}
              {waits && <button class="small" data-testid="take-back" onClick={takeBack}>Take back</button>}
            </span>
          </div>
        </div>
      </div>
    </article>
  );
}
