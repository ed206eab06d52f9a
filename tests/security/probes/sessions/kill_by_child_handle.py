"""Ends another process by a handle of a child that it never started."""

from pyodide.code import run_js

kill = run_js("""(pid) => {
  const { ChildProcess } = process.getBuiltinModule("child_process");
  const child = new ChildProcess();
  child.pid = pid;
  process.kill(child.pid, "SIGTERM");
}""")
kill(VICTIM_PID)
