"""`opora backup`: the embedded installation in one verified archive, while it serves."""

from argparse import ArgumentParser
from datetime import UTC, datetime
from pathlib import Path

from opora.adapters.archives.tar import ArchiveBroken
from opora.adapters.sql.snapshot import SnapshotBroken
from opora.bootstrap.backups import BackupRefused, back_up
from opora.bootstrap.sources import read
from opora.cli.command import Call, Command
from opora.cli.exits import CommandFailed, Exit


def save(call: Call) -> Exit:
    """Write the archive; exit 1 where files that the rows name were missing."""
    given = call.arguments
    path: Path = given.file or Path(f"opora-{datetime.now(UTC):%Y%m%dT%H%M%SZ}.tar.gz")
    try:
        with call.output.progress("Backing up") as told:
            made = back_up(read(), path, with_secrets=not given.without_secrets, progress=told)
    except BackupRefused as refused:
        raise CommandFailed(Exit.DATA, str(refused), refused.following) from refused
    except (SnapshotBroken, ArchiveBroken) as broken:
        raise CommandFailed(Exit.INPUT_OUTPUT, str(broken), "`opora check` tells whether the fault is here") from broken
    call.output.document(
        {"file": str(path), "revision": made.revision, "files": made.files, "bytes": made.bytes,
         "with_secrets": made.with_secrets, "missing": list(made.missing)}
    )  # fmt: skip
    call.output.line(f"{path}: rows, {made.files} files, {made.bytes} bytes, read back and compared.")
    if made.with_secrets:
        call.output.line("It holds the root secret: whoever reads it can sign as the service.")
    else:
        call.output.line("It holds no secret: keep OPORA_SECRET_KEY, or secrets.json, elsewhere.")
    for record in made.missing:
        call.output.line(f"missing or altered in the store: the file of {record}")
    return Exit.FINDINGS if made.missing else Exit.OK


def _arguments(parser: ArgumentParser) -> None:
    parser.add_argument("file", nargs="?", type=Path, metavar="FILE", help="the archive; opora-TIME.tar.gz here")
    parser.add_argument("--without-secrets", action="store_true", help="leave secrets.json out, to be kept elsewhere")


COMMANDS = {"": Command("Write rows, files and secrets into one verified archive, while serving (SQLite)", save,
                        _arguments, "opora backup /backups/opora.tar.gz")}  # fmt: skip
