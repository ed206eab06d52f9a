"""The jail: the kernel's own means, around one process of a session. Imports nothing of ours."""

from watchglass_jail.confine import confine
from watchglass_jail.errors import JailError
from watchglass_jail.namespaces import fork_into_namespaces
from watchglass_jail.policy import JailPolicy
from watchglass_jail.program import execute

__all__ = ["JailError", "JailPolicy", "confine", "execute", "fork_into_namespaces"]
