"""`opora commands`: the reference page of every command, made from the commands themselves."""

from argparse import Action, ArgumentParser
from collections.abc import Iterator

from opora.cli.command import Call, Command
from opora.cli.entry import GROUPS, commands_of
from opora.cli.exits import MEANINGS


def print_reference(call: Call) -> None:
    """Print the page, or its content as JSON."""
    call.output.document(
        {
            " ".join(filter(None, (first, second))): {"about": command.about, "example": command.example}
            for first, (module, _) in GROUPS.items()
            for second, command in commands_of(module).items()
        }
    )
    call.output.line("\n".join(page()))


def page() -> Iterator[str]:
    """Yield the lines of docs/reference/commands.md."""
    yield "# Commands"
    yield ""
    yield "Printed by `opora commands`; a test compares the two. Every command also takes `--help`, and `--json`: then"
    yield "it prints one JSON document. What goes wrong is told on standard error with the step that comes next."
    for first, (module, about) in GROUPS.items():
        commands = commands_of(module)
        yield ""
        yield f"## opora {first}"
        yield ""
        yield f"{about}."
        for second, command in commands.items():
            if second:
                yield ""
                yield f"### opora {first} {second}"
                yield ""
                yield f"{command.about}."
            yield from _arguments(command)
    yield ""
    yield "## Exit codes"
    yield ""
    yield "| code | meaning |"
    yield "| --- | --- |"
    for code, meaning in MEANINGS.items():
        yield f"| {int(code)} | {meaning} |"


def _arguments(command: Command) -> Iterator[str]:
    """Yield the table of a command's own arguments, and its example."""
    parser = ArgumentParser(add_help=False)
    command.arguments(parser)
    actions = parser._actions  # argparse offers no public list of them
    if actions:
        yield ""
        yield "| argument | meaning |"
        yield "| --- | --- |"
        for action in actions:
            yield f"| `{_written(action)}` | {(action.help or '').replace('|', '\\|')} |"
    if command.example:
        yield ""
        yield "```sh"
        yield command.example
        yield "```"


def _written(action: Action) -> str:
    """Return an argument as it is typed."""
    value = action.metavar or ("" if action.nargs == 0 else action.dest.upper())
    name = ", ".join(action.option_strings)
    return f"{name} {value}".strip() if name else str(value)


COMMANDS = {"": Command("Print the reference of every command, as Markdown", print_reference)}
