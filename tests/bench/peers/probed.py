"""The served program with one route more: the bare one's record, so that all the difference is the gate's."""

from litestar import Controller, get
from litestar.params import FromPath

from bench.peers.bare import Thing
from opora.api.policy import needs
from opora.bootstrap import http, serving


class ThingController(Controller):
    """A record that stands in no store."""

    path = "/things"

    @get("/{thing_id:int}", opt=needs("profiles:read"))
    async def thing(self, thing_id: FromPath[int]) -> Thing:
        """Give the record."""
        return Thing(thing_id)


def app() -> serving.ServedProgram:
    """Build the program from the environment, as every process of `opora serve` does."""
    http.VERSIONED = (*http.VERSIONED, ThingController)
    return serving.service()
