"""Who may install what: the settings, and the decision for one command. Pure."""

from __future__ import annotations

import re
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field

from watchglass_server.pip_command import PipCommand, project_of

# Imported by another name than they are installed by, and asked for often.
_KNOWN_PROJECTS = {
    "attr": "attrs",
    "bs4": "beautifulsoup4",
    "Crypto": "pycryptodome",
    "cv2": "opencv-python",
    "dateutil": "python-dateutil",
    "docx": "python-docx",
    "dotenv": "python-dotenv",
    "fitz": "pymupdf",
    "jwt": "pyjwt",
    "magic": "python-magic",
    "OpenSSL": "pyopenssl",
    "PIL": "pillow",
    "pptx": "python-pptx",
    "serial": "pyserial",
    "skimage": "scikit-image",
    "sklearn": "scikit-learn",
    "yaml": "pyyaml",
    "zmq": "pyzmq",
}
_NOT_FOUND = re.compile(r"No module named '([A-Za-z_]\w*)(?:\.[\w.]*)?'")


@dataclass(frozen=True, slots=True)
class PackagePolicy:
    """What this server allows. `modules`: what the folder of wheels gives, by its import name."""

    owner: str = "off"
    shared: str = "off"
    allowed: frozenset[str] = frozenset()
    has_folder: bool = False
    modules: Mapping[str, str] = field(default_factory=dict)

    def mode(self, *, is_owner: bool) -> str:
        """off, listed or free; the owner is who holds the server token."""
        return self.owner if is_owner else self.shared


@dataclass(frozen=True, slots=True)
class Permission:
    """What one command may use; `why_not`: why it may not use the index."""

    index: bool
    folder: bool
    why_not: str = ""


def permission(policy: PackagePolicy, command: PipCommand, *, is_owner: bool) -> Permission:
    """Decide about one command, by whose token its author came in with."""
    mode = policy.mode(is_owner=is_owner)
    refused = sorted({project_of(one) for one in command.requirements} - policy.allowed)
    if mode == "free" or (mode == "listed" and not refused):
        return Permission(index=True, folder=policy.has_folder)
    return Permission(
        index=False, folder=policy.has_folder, why_not=_why_not(policy, mode, refused, is_owner)
    )


def _why_not(policy: PackagePolicy, mode: str, refused: list[str], is_owner: bool) -> str:
    setting = "--packages" if is_owner else "--shared-packages"
    if mode == "listed":
        listed = ", ".join(sorted(policy.allowed)) or "none yet"
        return (
            f"This server installs from a list only, and {', '.join(refused)} is not on it; on it: "
            f"{listed}. Its operator can add to it with --allow-package."
        )
    if is_owner:
        return f"This server is started with {setting} off: no package is fetched for a session."
    return (
        "Who came in by a share link cannot install packages here. Ask the owner of the server to "
        f"run this line in the session, or to start it with {setting} free."
    )


def hint(policy: PackagePolicy, message: str, *, is_owner: bool) -> str | None:
    """What to type after a ModuleNotFoundError; None: nothing that would be allowed."""
    found = _NOT_FOUND.match(message)
    if found is None:
        return None
    module = found[1]
    if module in sys.stdlib_module_names:  # left out of Pyodide, and in no package either
        return None
    project = policy.modules.get(module)
    if project is None:
        project = _KNOWN_PROJECTS.get(module, module.replace("_", "-").lower())
        mode = policy.mode(is_owner=is_owner)
        if mode == "off" or (mode == "listed" and project not in policy.allowed):
            return None
    return f"If the package {project} is what you need: %pip install {project}"
