"""`opora secrets`: the keys that columns are sealed under, and what a new root secret must not lose."""

from argparse import ArgumentParser
from collections.abc import Mapping

from opora.adapters.crypto.sealing import AesSeal, SealBroken
from opora.adapters.sql.connection import Database
from opora.adapters.sql.resealing import PURPOSES, Reseal, Sealing
from opora.bootstrap.secrets import rings
from opora.bootstrap.settings import Settings
from opora.bootstrap.sources import load
from opora.cli.command import Call, Command
from opora.cli.exits import CommandFailed, Exit
from opora.cli.output import Steps
from opora.cli.running import Application, run

CARRIED = {
    "key_peppers": "OPORA_KEY_PEPPERS",
    "cursor_key": "OPORA_CURSOR_KEY",
    "audit_key": "OPORA_AUDIT_KEY",
    "softphone_secret": "OPORA_SOFTPHONE_SECRET",
    "payments_secret": "OPORA_PAYMENTS_SECRET",
}
"""Secrets that go on under a new root as they are."""


def reseal(call: Call) -> Exit:
    """Seal anew what is sealed under an older key, and profiles as the setting says; exit 1 where one opens by none."""
    settings, changes = load(), not call.arguments.plan
    with call.output.progress("Sealing") as told:
        found = run(lambda app: resealed(app, settings, changes=changes, told=told), settings)
    unreadable = sum(one.unreadable for one in found.values())
    call.output.document({"changed": changes, "unreadable": unreadable, "tables": found})
    call.output.table(
        ["TABLE", "AS THEY SHOULD BE", "SEALED ANEW" if changes else "TO BE SEALED", "OPENED BY NO KEY"],
        [[table, one.newest, one.changed, one.unreadable] for table, one in found.items()],
    )
    if unreadable:
        call.output.note("  → Give the key they were sealed under in OPORA_ENCRYPTION_KEYS_OLD, then again")
        return Exit.FINDINGS
    if changes and settings.encryption_keys_old:
        call.output.line(
            "\nOPORA_ENCRYPTION_KEYS_OLD opens nothing any more but answers of the last day: leave it out then."
        )
    return Exit.OK


async def resealed(app: Application, settings: Settings, *, changes: bool, told: Steps) -> Mapping[str, Sealing]:
    """Walk every sealed column of the running settings' database."""
    seals = {purpose: AesSeal(*rings(settings, purpose)) for purpose in PURPOSES}
    database = await app.get(Database)
    return await Reseal(database, seals, SealBroken, settings.seal_profiles, changes)(told)


def carry(call: Call) -> None:
    """Print the settings that keep everything open under a new root secret, as lines of an environment file."""
    if not call.arguments.yes:
        raise CommandFailed(Exit.USAGE, "this prints secrets", "Add --yes, and send the output where nobody reads it")
    settings = load()
    lines = {variable: written(getattr(settings, name)) for name, variable in CARRIED.items()}
    lines["OPORA_ENCRYPTION_KEYS_OLD"] = ",".join([settings.encryption_key, *settings.encryption_keys_old])
    call.output.document(lines)
    for variable, value in lines.items():
        call.output.line(f"{variable}={value}")


def written(value: object) -> str:
    """Return a setting as a variable holds it."""
    return ",".join(value) if isinstance(value, tuple) else str(value)


def _reseal_arguments(parser: ArgumentParser) -> None:
    parser.add_argument("--plan", action="store_true", help="tell how many there are and change nothing")


def _carry_arguments(parser: ArgumentParser) -> None:
    parser.add_argument("--yes", action="store_true", help="really: secrets are printed")


COMMANDS = {
    "reseal": Command("Seal anew what an older key sealed, and kept people as OPORA_SEAL_PROFILES says", reseal,
                      _reseal_arguments, "opora secrets reseal --plan"),
    "carry": Command("Print the settings that keep everything open under a new root secret", carry,
                     _carry_arguments, "opora secrets carry --yes > carried.env"),
}  # fmt: skip
