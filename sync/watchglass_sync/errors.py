"""The errors of this package, one root.

SyncError
├── JournalError
│   ├── DataDirUnusable       not a directory, cannot be created, cannot be written
│   │   └── DataDirLocked     another server holds it
│   ├── JournalBroken         the file is damaged, or not a journal
│   ├── JournalTooNew         a newer Watchglass wrote it
│   ├── JournalWriteFailed    a commit failed (disk full, …) and stored nothing; append again
│   ├── JournalOutOfOrder     an append that would leave a gap or a double in a session's seq
│   ├── SessionUnknown        the journal has no such session
│   └── JournalClosed         we called after close: a bug on our side
├── MirrorRefused             the mirror's database cannot take this version's tables
├── BindingRefused            a variable cannot follow that row; names what is wrong
├── ValueMisfit               a Python value that a column cannot hold
├── ExportError               a format that does not exist
└── ImportFormatError         a file that cannot be read in; names the place
"""

from __future__ import annotations


class SyncError(Exception):
    """Root of all errors of watchglass_sync."""


class JournalError(SyncError):
    """The journal cannot do what was asked."""


class DataDirUnusable(JournalError):
    """The data directory cannot be used as it is."""


class DataDirLocked(DataDirUnusable):
    """Another process holds the data directory."""


class JournalBroken(JournalError):
    """The journal file is damaged or is something else."""


class JournalTooNew(JournalError):
    """The journal file was written by a newer version."""


class JournalWriteFailed(JournalError):
    """A commit failed; none of its records is stored, and they may be appended again."""


class JournalOutOfOrder(JournalError):
    """An append does not continue its session's events."""


class SessionUnknown(JournalError):
    """There is no such session in the journal."""


class JournalClosed(JournalError):
    """The journal is closed; whoever calls now has outlived it."""


class MirrorRefused(SyncError):
    """The mirror's database cannot be what this version needs; the message has the choices."""


class BindingRefused(SyncError):
    """A variable cannot be bound to this; `field` is what was wrong, `hint` the next step."""

    def __init__(self, field: str, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.field = field
        self.message = message
        self.hint = hint


class ValueMisfit(SyncError):
    """A Python value is nothing that a column can hold."""


class ExportError(SyncError):
    """A session cannot be written in the way that was asked for."""


class ImportFormatError(SyncError):
    """A file cannot be read in; the message names the place."""
