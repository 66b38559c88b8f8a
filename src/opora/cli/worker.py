"""`opora worker`: jobs, schedules and the relay of events, without HTTP."""

import asyncio
import signal
from argparse import ArgumentParser

from dishka import AsyncContainer
from msgspec.structs import replace

from opora.api import logs
from opora.bootstrap.settings import Settings
from opora.bootstrap.sources import load
from opora.bootstrap.worker import working
from opora.cli.command import Call, Command
from opora.cli.running import run
from opora.cli.values import whole

AS_JSON = {"auto": None, "json": True, "text": False}


def work(call: Call) -> None:
    """Run jobs until SIGTERM or SIGINT; those under way are let end, the rest given back."""
    settings = load()
    if call.arguments.concurrency is not None:
        settings = replace(settings, worker_concurrency=call.arguments.concurrency)
    logs.configure(settings.log_level, as_json=AS_JSON[settings.log_format])
    run(lambda app: _until_told(app, settings, call), settings)


async def _until_told(app: AsyncContainer, settings: Settings, call: Call) -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    async with working(app, settings):
        call.output.note(f"Running jobs, {settings.worker_concurrency} at once. Stop with Ctrl+C.")
        await stop.wait()


def _arguments(parser: ArgumentParser) -> None:
    parser.add_argument(
        "--concurrency", type=whole(1, 1000), metavar="N", help="jobs at once; OPORA_WORKER_CONCURRENCY, else 8"
    )


COMMANDS = {"": Command("Run jobs, schedules and the relay of events", work, _arguments)}
