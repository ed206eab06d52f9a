"""The jail: the kernel's own means, around one process of a session. Imports nothing of ours."""

from watchglass_jail.cgroups import CgroupLimits
from watchglass_jail.choice import choose_policy, missing_layers
from watchglass_jail.confine import confine
from watchglass_jail.errors import JailError
from watchglass_jail.features import KernelFeatures
from watchglass_jail.libraries import libraries_of
from watchglass_jail.namespaces import fork_into_namespaces
from watchglass_jail.policy import JailPolicy
from watchglass_jail.program import execute
from watchglass_jail.server_groups import ServerGroups
from watchglass_jail.trials import read_features

__all__ = [
    "CgroupLimits",
    "JailError",
    "JailPolicy",
    "KernelFeatures",
    "ServerGroups",
    "choose_policy",
    "confine",
    "execute",
    "fork_into_namespaces",
    "libraries_of",
    "missing_layers",
    "read_features",
]
