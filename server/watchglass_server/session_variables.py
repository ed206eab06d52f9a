"""What a process tells of one variable → what clients are told of it. Pure."""

from __future__ import annotations

from msgspec.structs import replace

from watchglass_server import host_messages as h
from watchglass_server.measure import MAX_VALUE_BYTES, fits
from watchglass_server.pictures import Variable


def told_variable(variable: h.Variable) -> Variable:
    """A variable as clients see it."""
    return bounded_variable(
        Variable(
            name=variable.name,
            type=variable.type,
            module=variable.module,
            preview=variable.preview,
            length=variable.length,
            size_bytes=variable.size_bytes,
            shape=variable.shape,
            dtype=variable.dtype,
            expandable=variable.expandable,
            settable=variable.settable,
            version=variable.version,
            value=variable.value,
            hidden=variable.hidden,
            truncated=variable.truncated,
        )
    )


def bounded_variable(variable: Variable, most: int = MAX_VALUE_BYTES) -> Variable:
    """The same without its exact value, if that is larger than the contract says."""
    if fits(variable.value, most):
        return variable
    return replace(variable, value=None)
