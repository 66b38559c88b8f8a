"""`opora worker`: jobs, schedules and the relay of events, without HTTP."""

import os
from argparse import ArgumentParser

from opora.bootstrap import serving
from opora.bootstrap.sources import load
from opora.cli.command import Call, Command
from opora.cli.running import alone
from opora.cli.values import whole


def work(call: Call) -> None:
    """Run jobs until SIGTERM or SIGINT; those under way are let end, the rest given back."""
    if call.arguments.concurrency is not None:
        os.environ["OPORA_WORKER_CONCURRENCY"] = str(call.arguments.concurrency)
    settings = load()
    call.output.note(f"Running jobs, {settings.worker_concurrency} at once. Stop with Ctrl+C.")
    alone(serving.work(settings))


def _arguments(parser: ArgumentParser) -> None:
    parser.add_argument(
        "--concurrency", type=whole(1, 1000), metavar="N", help="jobs at once; OPORA_WORKER_CONCURRENCY, else 8"
    )


COMMANDS = {"": Command("Run jobs, schedules and the relay of events", work, _arguments)}
