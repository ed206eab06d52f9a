"""Names another process as the first to be ended when memory runs out."""

import js

fs = js.process.getBuiltinModule("fs")
fs.writeFileSync(f"/proc/{VICTIM_PID}/oom_score_adj", "777")
