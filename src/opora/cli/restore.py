"""`opora restore`: an installation out of the archive that `opora backup` wrote."""

from argparse import ArgumentParser
from pathlib import Path

from opora.adapters.archives.tar import ArchiveBroken, verified
from opora.adapters.sql.snapshot import SnapshotBroken
from opora.bootstrap.backups import BackupRefused, restore
from opora.bootstrap.sources import read
from opora.cli.command import Call, Command
from opora.cli.exits import CommandFailed, Exit


def bring_back(call: Call) -> None:
    """Verify an archive, and unless that is all put its installation into an empty home."""
    path: Path = call.arguments.file
    try:
        if call.arguments.verify:
            held = verified(path)
            call.output.document({"made_at": held["made_at"], "revision": held["revision"], "whole": True})
            call.output.line(f"{path} is whole: made at {held['made_at']}, schema {held['revision']}.")
            return
        with call.output.progress("Restoring") as told:
            made = restore(read(), path, told)
    except (ArchiveBroken, SnapshotBroken) as broken:
        raise CommandFailed(Exit.DATA, str(broken), "Take another backup; nothing was restored") from broken
    except BackupRefused as refused:
        raise CommandFailed(Exit.DATA, str(refused), refused.following) from refused
    call.output.document(made)
    call.output.line(f"Restored as of {made.made_at}: schema {made.revision}, {made.files} files. Before it serves:")
    for step in made.needs:
        call.output.line(f"  {step}")


def _arguments(parser: ArgumentParser) -> None:
    parser.add_argument("file", type=Path, metavar="FILE", help="an archive of `opora backup`")
    parser.add_argument("--verify", action="store_true", help="read it whole, compare every hash and restore nothing")


COMMANDS = {"": Command("Bring an installation back from an archive into an empty home (SQLite)", bring_back,
                        _arguments, "OPORA_HOME=/srv/anew opora restore /backups/opora.tar.gz")}  # fmt: skip
