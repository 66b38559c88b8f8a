"""How commands end: the codes of sysexits.h, and which fault becomes which."""

from enum import IntEnum


class Exit(IntEnum):
    """What the exit code of a command says (BSD sysexits.h)."""

    OK = 0
    FINDINGS = 1
    USAGE = 64
    DATA = 65
    NO_INPUT = 66
    UNAVAILABLE = 69
    SOFTWARE = 70
    CANNOT_CREATE = 73
    INPUT_OUTPUT = 74
    TEMPORARY = 75
    NO_PERMISSION = 77
    CONFIG = 78
    INTERRUPTED = 130


MEANINGS: dict[Exit, str] = {
    Exit.OK: "Done",
    Exit.FINDINGS: "Done, and something was found that wants attention (`doctor`, `audit verify`, `db check`)",
    Exit.USAGE: "The command was written wrongly",
    Exit.DATA: "What was given is refused: a field, a value, a state",
    Exit.NO_INPUT: "There is no such record or file",
    Exit.UNAVAILABLE: "A service that the command needs does not answer",
    Exit.SOFTWARE: "An unexpected fault; OPORA_DEBUG=1 shows where",
    Exit.CANNOT_CREATE: "A file cannot be made: it is there already",
    Exit.INPUT_OUTPUT: "Reading or writing failed",
    Exit.TEMPORARY: "Not now; the same command may work in a moment",
    Exit.NO_PERMISSION: "Not allowed",
    Exit.CONFIG: "The settings cannot be used",
    Exit.INTERRUPTED: "Interrupted from the keyboard",
}


class CommandFailed(Exception):
    """A command ends here: with a code, a sentence and the step that comes next."""

    def __init__(self, exit_code: Exit, message: str, following: str = "") -> None:
        super().__init__(message)
        self.exit_code = exit_code
        self.following = following


_BY_KIND: tuple[tuple[str, Exit, str], ...] = (
    ("opora.core.kernel.errors.Stale", Exit.TEMPORARY, "Someone changed it meanwhile: run the command again"),
    ("opora.core.kernel.errors.NotFound", Exit.NO_INPUT, "The `list` command of the group shows what there is"),
    ("opora.core.kernel.errors.Gone", Exit.NO_INPUT, ""),
    ("opora.core.kernel.errors.Invalid", Exit.DATA, "Mend what is named and run the command again"),
    ("opora.core.kernel.errors.Conflict", Exit.DATA, ""),
    ("opora.core.kernel.errors.TooLarge", Exit.DATA, ""),
    ("opora.core.kernel.errors.PermissionDenied", Exit.NO_PERMISSION, ""),
    ("opora.core.kernel.errors.Unauthenticated", Exit.NO_PERMISSION, ""),
    ("opora.core.kernel.errors.LimitExceeded", Exit.TEMPORARY, "Wait a moment and run the command again"),
    ("opora.core.kernel.errors.Unavailable", Exit.UNAVAILABLE, "`opora doctor` says what is down and how to mend it"),
    ("opora.bootstrap.faults.SettingsInvalid", Exit.CONFIG, "`opora config reference` explains every setting"),
    ("opora.bootstrap.plugins.PluginInvalid", Exit.CONFIG, "Install the adapter, or name one that is installed"),
    ("opora.bootstrap.storage.StorageLacking", Exit.CONFIG, "Mend OPORA_STORAGE_URL, or install what it needs"),
    ("opora.bootstrap.bus.BusLacking", Exit.CONFIG, "Install what OPORA_AMQP_URL needs, or leave it out"),
    ("sqlalchemy.exc.OperationalError", Exit.UNAVAILABLE, "`opora doctor` says what is down and how to mend it"),
    ("asyncpg.exceptions._base.PostgresError", Exit.UNAVAILABLE, "Check OPORA_DATABASE_URL: name, password, database"),
    ("alembic.util.exc.CommandError", Exit.DATA, "`opora db current` prints where the schema stands"),
    ("builtins.PermissionError", Exit.NO_PERMISSION, "Mend the rights of the file or folder"),
    ("builtins.FileNotFoundError", Exit.NO_INPUT, "Check the path"),
    ("builtins.FileExistsError", Exit.CANNOT_CREATE, "Choose another name"),
    ("builtins.ConnectionError", Exit.UNAVAILABLE, "`opora doctor` says what is down and how to mend it"),
    ("builtins.TimeoutError", Exit.TEMPORARY, "Run the command again"),
    ("builtins.OSError", Exit.INPUT_OUTPUT, ""),
)
"""Faults by the name of their class, so that this module imports none of them; the first that fits counts."""


def failure(fault: BaseException) -> CommandFailed:
    """Return how a command ends that let this fault out."""
    if isinstance(fault, CommandFailed):
        return fault
    names = {f"{kind.__module__}.{kind.__qualname__}" for kind in type(fault).__mro__}
    for name, exit_code, following in _BY_KIND:
        if name in names:
            return CommandFailed(exit_code, _told(fault), following)
    told = f"{type(fault).__name__}: {fault}"
    return CommandFailed(Exit.SOFTWARE, f"Unexpected: {told}", "OPORA_DEBUG=1 shows where; please report it")


def _told(fault: BaseException) -> str:
    """Return the fault's words, with every field at fault on a line of its own."""
    fields = getattr(fault, "errors", None)
    lines = [f"  {field}: {message}" for field, messages in (fields or {}).items() for message in messages]
    words = str(fault).partition("\n(Background on this error")[0]  # what SQLAlchemy adds
    return "\n".join([words, *lines])
