"""The whole edge over the real use cases of access and a SQLite file."""

from dataclasses import dataclass, replace

import httpx
from litestar import Litestar

from core.access.stage import PASSWORD, Stage
from opora.api.calls import current_actor
from opora.api.cookies import BrowserCookies
from opora.api.edge import EdgeParts, EdgeSettings, wrap
from opora.api.http import application
from opora.api.v1.account import AccountController
from opora.api.v1.auth import AuthController, WellKnownController
from opora.api.v1.gateway import GatewayController
from opora.api.v1.keys import KeyController
from opora.api.v1.oauth import MetadataController, OAuthController
from opora.api.v1.sessions import SessionController
from opora.api.v1.users import UserController
from opora.bootstrap.binding import bind
from opora.core.access.model.keys import NewKey
from opora.core.access.model.scopes import Role
from opora.core.access.ports.keys import KeyViews
from opora.core.access.ports.people import UserViews
from opora.core.access.ports.tokens import SigningKeyNews, SigningRing
from opora.core.kernel.model import SYSTEM
from opora.core.kernel.ports import Clock

ORIGIN = "https://opora.test"
VERSIONED = (
    AuthController,
    AccountController,
    SessionController,
    GatewayController,
    OAuthController,
    KeyController,
    UserController,
)
EDGE = EdgeSettings(internal_networks=("127.0.0.0/8", "10.0.0.0/8"), trusted_proxies=("10.0.0.0/8",))
"""The gateway of the tests stands at 10.0.0.1."""


class Shelf:
    """Hands out the parts of a stage by their types, as the container does."""

    def __init__(self, stage: Stage) -> None:
        self._parts = {type(part): part for part in vars(stage).values()}
        self._parts |= {KeyViews: stage.views, UserViews: stage.user_views}
        self._parts |= {BrowserCookies: BrowserCookies(enabled=True, origin=ORIGIN)}
        self._parts |= {SigningRing: stage.ring, SigningKeyNews: stage.news, Clock: stage.clock}

    async def get(self, kind):
        """Return the part of this type."""
        return self._parts[kind]


@dataclass
class Service:
    """A running service: its stage, and clients of it."""

    stage: Stage
    app: object
    bare: Litestar

    @classmethod
    async def over(cls, stage: Stage, *, by_password: bool = True) -> "Service":
        """Serve the controllers of access over a stage."""
        stage.grants = replace(stage.grants, by_password=by_password)
        shelf = Shelf(stage)
        versioned = [await bind(one, shelf, current_actor) for one in VERSIONED]
        at_root = [await bind(one, shelf, current_actor) for one in (WellKnownController, MetadataController)]
        parts = EdgeParts(stage.authenticate, stage.gate, stage.clock, settings=EDGE)
        bare = application(versioned, at_root)
        return cls(stage, wrap(bare, parts), bare)

    def client(self, key: str | None = None, token: str | None = None, address: str = "192.0.2.1") -> httpx.AsyncClient:
        """Return a client with these credentials."""
        transport = httpx.ASGITransport(self.app, raise_app_exceptions=False, client=(address, 4711))
        headers = {"x-api-key": key} if key else {}
        headers |= {"authorization": f"Bearer {token}"} if token else {}
        return httpx.AsyncClient(transport=transport, base_url="http://opora.test/api/v1", headers=headers)

    async def keyed(self, *scopes: str) -> httpx.AsyncClient:
        """Return a client with a new key of these scopes."""
        made = await self.stage.issue(SYSTEM, NewKey(label="client", scopes=frozenset(scopes)))
        return self.client(key=made.key)

    async def signed_in(self, *roles: Role, email: str = "anna@example.org") -> httpx.AsyncClient:
        """Return a client with a fresh access token of a new user."""
        await self.stage.a_person(*roles, email=email)
        answer = await self.client().post("/auth/login", json={"email": email, "password": PASSWORD})
        return self.client(token=answer.json()["access_token"])
