"""Finds the command that the arguments name, imports its module alone, and runs it."""

import os
import sys
from collections.abc import Mapping, Sequence
from difflib import get_close_matches
from importlib import import_module

import opora
from opora.bootstrap.lean import RICH, without
from opora.cli.command import Call, Group, build
from opora.cli.exits import CommandFailed, Exit, failure
from opora.cli.output import Output

type Groups = Mapping[str, tuple[str, str]]

GROUPS: Groups = {
    "serve": ("opora.cli.serve", "Serve the API and, unless told otherwise, run jobs"),
    "worker": ("opora.cli.worker", "Run jobs, schedules and the relay of events"),
    "db": ("opora.cli.db", "Bring the database to this release's schema and look at it"),
    "backup": ("opora.cli.backup", "Write the installation into one verified archive, while it serves"),
    "restore": ("opora.cli.restore", "Bring an installation back from an archive"),
    "copy": ("opora.cli.copy", "Move an installation's rows into another database, and compare the two"),
    "keys": ("opora.cli.keys", "Make, list, rotate, revoke and import API keys"),
    "secrets": ("opora.cli.secrets", "Rotate the keys that columns are sealed under, and carry secrets over"),
    "signing-keys": ("opora.cli.signing_keys", "List and rotate the keys that tokens are signed with"),
    "users": ("opora.cli.users", "Create and list users"),
    "admin": ("opora.cli.admin", "Let the administrator in again"),
    "numbers": ("opora.cli.numbers", "Import and export phone numbers"),
    "plans": ("opora.cli.plans", "Change prices, features and limits of the plans on offer"),
    "jobs": ("opora.cli.jobs", "Look at background jobs, retry and cancel them"),
    "events": ("opora.cli.events", "Look at the event bus, and send events again"),
    "abs": ("opora.cli.abs", "Ask the core banking system, compare both sides, list tickets"),
    "billing": ("opora.cli.billing", "Recount the ledger, ask the payment provider"),
    "audit": ("opora.cli.audit", "Check that the audit log was not touched"),
    "health": ("opora.cli.health", "Ask a process whether it can serve"),
    "check": ("opora.cli.check", "Find what is missing, orphaned, corrupted or miscounted"),
    "doctor": ("opora.cli.doctor", "Say what is wrong and how to mend it"),
    "limits": ("opora.cli.limits", "Print every bound of the product"),
    "config": ("opora.cli.config", "Check, show and explain the settings"),
    "tour": ("opora.cli.tour", "Walk through the API of a running service and show each step"),
    "openapi": ("opora.cli.openapi", "Print the OpenAPI document"),
    "problems": ("opora.cli.problems", "Print every problem code"),
    "commands": ("opora.cli.commands", "Print the reference of every command"),
    "simulate": ("opora.cli.simulate", "Run every context under seeded faults and check its promises"),
}
"""The first word of every command, with its module and its line in the help."""


def main(arguments: Sequence[str], groups: Groups = GROUPS) -> int:
    """Run one command line and return its exit code; nothing that goes wrong leaves as a stack trace."""
    output = Output(as_json="--json" in arguments)
    try:
        return int(_run(list(arguments), output, groups))
    except SystemExit as left:  # argparse leaves so after --help
        return int(left.code or 0)
    except KeyboardInterrupt:
        return int(Exit.INTERRUPTED)
    except BrokenPipeError:  # the reader has seen enough: `opora limits | head`
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return int(Exit.OK)
    except Exception as fault:
        if os.environ.get("OPORA_DEBUG") == "1":
            raise
        end = failure(fault)
        output.failed(end)
        return int(end.exit_code)


def _run(arguments: list[str], output: Output, groups: Groups) -> Exit:
    first = arguments[0] if arguments else ""
    if first in {"--version", "-V"}:
        output.document({"version": opora.__version__})
        output.line(f"opora {opora.__version__}")
        return Exit.OK
    if first in {"", "--help", "-h", "help"}:
        return _help(arguments[1:], output, groups)
    if first not in groups:
        close = get_close_matches(first, groups, n=1)
        following = f"Did you mean `opora {close[0]}`?" if close else "`opora --help` lists the commands"
        raise CommandFailed(Exit.USAGE, f"there is no command {first!r}", following)
    module, about = groups[first]
    given = build(first, about, commands_of(module)).parse_args(arguments[1:])
    result: Exit | None = given.body(Call(given, output))
    return Exit.OK if result is None else result


def commands_of(module: str) -> Group:
    """Import the module of a first word and return its commands."""
    with without(RICH):
        commands: Group = import_module(module).COMMANDS
    return commands


def _help(named: Sequence[str], output: Output, groups: Groups) -> Exit:
    """Print the front page, or the page of the command named."""
    if named and named[0] in groups:
        return _run([*named, "--help"], output, groups)
    width = max(map(len, groups))
    output.document({first: about for first, (_, about) in groups.items()})
    output.line("usage: opora COMMAND [OPTIONS]\n\nOpora: a self-hosted REST backend.\n\ncommands:")
    for first, (_, line) in groups.items():
        output.line(f"  {first.ljust(width)}  {line}")
    output.line(
        "\n`opora COMMAND --help` explains one. Every command takes --json. Settings: `opora config reference`."
    )
    return Exit.OK
