"""Commands that go wrong."""

from opora.cli.command import Call, Command


def fall(_: Call) -> None:
    """Fall over something unexpected."""
    raise ZeroDivisionError("by accident")


def interrupt(_: Call) -> None:
    """End as when Control-C is pressed."""
    raise KeyboardInterrupt


COMMANDS = {"fall": Command("Fall", fall), "interrupt": Command("Be interrupted", interrupt)}
