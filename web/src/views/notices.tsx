// Refused calls and short confirmations, in the corner.
import { dismiss, notices } from "../notices.ts";
import { Icon } from "./icons.tsx";

export function Notices() {
  return (
    <div class="notices">
      {notices.value.map(({ id, kind, message, hint }) => (
        <div key={id} class={`notice ${kind}`} role={kind === "info" ? "status" : "alert"} data-testid="notice">
          <div>
            <p class="notice-message">{message}</p>
            {hint && <p class="notice-hint">{hint}</p>}
          </div>
          <button class="plain" aria-label="Dismiss" onClick={() => dismiss(id)}><Icon name="close" /></button>
        </div>
      ))}
    </div>
  );
}
