"""What runs inside Pyodide: the REPL, the variables that are watched, what is kept of a session."""

from watchglass_monitor.monitored_dict import MonitoredDict
from watchglass_monitor.repl import PyodideREPL
from watchglass_monitor.variables import VariableMonitor

__all__ = ["MonitoredDict", "PyodideREPL", "VariableMonitor"]
