"""What a command is: its words, one line about it, its arguments and its body."""

from argparse import ArgumentParser, Namespace, RawDescriptionHelpFormatter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, NoReturn

from opora.cli.exits import CommandFailed, Exit
from opora.cli.output import Output


@dataclass(frozen=True, slots=True)
class Call:
    """One call of a command: its arguments and where it writes."""

    arguments: Namespace
    output: Output


class Parser(ArgumentParser):
    """Reads arguments; what it cannot read ends the command with exit code 64 and where to look."""

    def error(self, message: str) -> NoReturn:
        """Raise CommandFailed in place of leaving with code 2."""
        raise CommandFailed(Exit.USAGE, message, f"{self.prog} --help")


def nothing_more(parser: ArgumentParser) -> None:
    """Add no arguments."""
    del parser


@dataclass(frozen=True, slots=True)
class Command:
    """A command of a group; `body` returns its exit code, or None when all is well."""

    about: str
    body: Callable[[Call], Exit | None]
    arguments: Callable[[ArgumentParser], None] = nothing_more
    example: str = ""


type Group = Mapping[str, Command]
"""The commands of one first word, by their second; the empty word is a group that is itself a command."""


def build(word: str, about: str, group: Group) -> Parser:
    """Return the parser of everything that begins with `word`."""
    alone = group.get("")
    if alone is not None:
        return _fill(_parser(f"opora {word}", about, alone.example), alone)
    parser = _parser(f"opora {word}", about, "")
    following = parser.add_subparsers(dest="second", metavar="COMMAND", required=True, parser_class=Parser)
    for second, command in group.items():
        name = f"opora {word} {second}"
        shape = _shape(command.about, command.example)
        _fill(following.add_parser(second, prog=name, help=command.about, allow_abbrev=False, **shape), command)
    return parser


def _parser(name: str, about: str, example: str) -> Parser:
    return Parser(prog=name, allow_abbrev=False, **_shape(about, example))


def _shape(about: str, example: str) -> dict[str, Any]:
    """Return how a help page looks: its first line, and its example at the end."""
    epilog = f"example:\n  {example}" if example else None
    return {"description": about, "epilog": epilog, "formatter_class": RawDescriptionHelpFormatter}


def _fill(parser: Parser, command: Command) -> Parser:
    """Add a command's own arguments and the one that all have."""
    command.arguments(parser)
    parser.add_argument("--json", action="store_true", help="print one JSON document")
    parser.set_defaults(body=command.body)
    return parser
