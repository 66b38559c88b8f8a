"""Names of files on a drop, before any server is asked."""

import posixpath

from opora.core.numbers.errors.transfers import DropRefused

PART = ".part"
BLOCK_BYTES = 256 * 1024


def relative(name: str) -> str:
    """Return the name as a path below the root; raises DropRefused for one that leads elsewhere."""
    parts = name.split("/")
    if any(part in {"", ".", ".."} or "\\" in part or not part.isprintable() for part in parts):
        raise DropRefused("The name leads out of the drop, or is no name.")
    return posixpath.join(*parts)


def folder_of(name: str) -> str:
    """Return the folder that a name lies in; "" for the root."""
    return posixpath.dirname(relative(name))
