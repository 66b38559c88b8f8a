"""Calls that are made at the same time, carried out together."""

import asyncio
from asyncio import Future, Task
from collections.abc import Awaitable, Callable, Sequence
from contextvars import Context

from opora.core.kernel.errors import Unavailable


class Together[Given, Found]:
    """Takes one thing at a time and hands on what has gathered while the last handful was under way.

    A lone call goes at once; the more come, the more go together, so that what a handful costs by itself is shared by
    those who would else wait for each other. Nobody is answered before his handful is done.
    """

    def __init__(self, carry_out: Callable[[Sequence[Given]], Awaitable[Sequence[Found]]], most: int) -> None:
        """`carry_out` gives one answer each, in the order given, and all or none of its effects."""
        self._carry_out = carry_out
        self._most = most
        self._waiting: list[tuple[Given, Future[Found]]] = []
        self._working: Task[None] | None = None

    async def __call__(self, given: Given) -> Found:
        """Raise what carrying it out raises; one that is at fault does not spoil it for the others."""
        answer: Future[Found] = asyncio.get_running_loop().create_future()
        self._waiting.append((given, answer))
        if (
            self._working is None or self._working.done()
        ):  # the work is nobody's own: no caller's context, no cancelling
            self._working = asyncio.create_task(self._work(), context=Context())
        return await answer

    async def _work(self) -> None:
        while self._waiting:
            some, self._waiting = self._waiting[: self._most], self._waiting[self._most :]
            try:
                await self._answer(some)
            except BaseException:  # ended from outside: whoever waits must not wait for ever
                for _, answer in some + self._waiting:
                    if not answer.done():
                        answer.set_exception(Unavailable())
                self._waiting = []
                raise

    async def _answer(self, some: Sequence[tuple[Given, Future[Found]]]) -> None:
        try:
            found = await self._carry_out([given for given, _ in some])
        except Exception as error:  # it is theirs who asked
            if len(some) == 1 or isinstance(error, Unavailable):
                for _, answer in some:
                    if not answer.done():
                        answer.set_exception(error)
                return
            for one in some:
                await self._answer([one])
            return
        for (_, answer), one_found in zip(some, found, strict=True):
            if not answer.done():
                answer.set_result(one_found)
