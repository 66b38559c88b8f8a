"""Where `opora` and `python -m opora` begin."""

import sys

from opora import __version__


def main() -> None:
    """Run the command that the arguments name and leave with its exit code."""
    if sys.argv[1:] in (["--version"], ["-V"]):
        sys.stdout.write(f"opora {__version__}\n")
        return
    from opora.cli.entry import main as entry  # noqa: PLC0415 — what only commands need costs 60 ms

    sys.exit(entry(sys.argv[1:]))


if __name__ == "__main__":
    main()
