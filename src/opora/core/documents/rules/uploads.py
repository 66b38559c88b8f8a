"""What an upload must be."""

from opora.core.documents.errors import (
    DamagedFile,
    EmptyFile,
    EncryptedFile,
    FileBomb,
    InvalidDocument,
    MacroFile,
    NoPerson,
    PolyglotFile,
    UnsupportedFile,
)
from opora.core.documents.model.documents import EVERYONES, NOBODYS, Reach
from opora.core.documents.model.files import DocumentWish, Fault
from opora.core.kernel.errors import DomainError
from opora.core.kernel.model import Actor

READ_ALL = "documents:read_all"
FILE_NAME_MAX_BYTES = 255
DESCRIPTION_MAX = 1000

REFUSALS: dict[Fault, type[DomainError]] = {
    Fault.EMPTY: EmptyFile,
    Fault.UNSUPPORTED: UnsupportedFile,
    Fault.MACROS: MacroFile,
    Fault.POLYGLOT: PolyglotFile,
    Fault.DAMAGED: DamagedFile,
    Fault.ENCRYPTED: EncryptedFile,
    Fault.BOMB: FileBomb,
}
"""The refusal that stands for each fault of a file."""

_RUN = "bat chm cmd docm dotm exe hta htm html jar js jse lnk msi php ps1 scr sh svg vbe vbs wsf xhtml xlsm"
_RUN_LAST = "app apk class cpl dll dmg gadget inf iso mht msc msix pif ppam ppsm pptm py rb reg sct svgz swf url"
COM = "com"
"""Ends programs of DOS, and addresses of the web, which people name papers after."""
RUN_BY_MACHINES = frozenset(_RUN.split())
"""Endings that make a machine run what it is given; they are no part of a paper's name, wherever they stand in it."""
RUN_AT_THE_END = RUN_BY_MACHINES | frozenset(_RUN_LAST.split())
"""The same, with those that also occur in the middle of honest names."""


def reach(actor: Actor) -> Reach:
    """Return whose documents the caller may see."""
    if actor.may(READ_ALL):
        return EVERYONES
    return NOBODYS if actor.user_id is None else Reach(actor.user_id)


def person(actor: Actor) -> int:
    """Return the user behind the caller; raises NoPerson."""
    if actor.user_id is None:
        raise NoPerson
    return actor.user_id


def refuse_bad_wish(wish: DocumentWish) -> None:
    """Raise InvalidDocument that names every field at fault."""
    errors: dict[str, list[str]] = {}
    if not 1 <= len(wish.description.strip()) <= DESCRIPTION_MAX:
        errors["description"] = [f"has 1 to {DESCRIPTION_MAX} characters"]
    if wish.actual_date and wish.actual_end_date and wish.actual_date > wish.actual_end_date:
        errors["actual_end_date"] = ["is not before actual_date"]
    if found := name_faults(wish.file_name):
        errors["file"] = found
    if errors:
        raise InvalidDocument(errors=errors)


def name_faults(name: str) -> list[str]:
    """Return everything that is wrong with the name of a file."""
    found = []
    if not name.strip(" ."):
        found.append("has a name")
    if len(name.encode("utf-8", "surrogatepass")) > FILE_NAME_MAX_BYTES:
        found.append(f"has a name of at most {FILE_NAME_MAX_BYTES} bytes")
    if "/" in name or "\\" in name:
        found.append("has a name without folders")
    if not name.isprintable():
        found.append("has a name of printable characters")
    if is_run(name):
        found.append("has a name that does not end as programs do")
    return found


def is_run(name: str) -> bool:
    """Tell whether a name ends as programs do, in the end (`scan.exe`) or before it (`scan.exe.pdf`).

    `com` ends a program's name only where that is one word: `command.com`, not `Letter to example.com`.
    """
    endings = [ending.strip().casefold() for ending in name.split(".")[1:]]
    if not endings:
        return False
    is_com = endings[-1] == COM and not any(map(str.isspace, name.strip()))
    return is_com or endings[-1] in RUN_AT_THE_END or not RUN_BY_MACHINES.isdisjoint(endings)
