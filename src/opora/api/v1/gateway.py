"""HTTP face of what gateways ask: who is it, and may they pass."""

from typing import Annotated, Any

from dishka import FromDishka
from litestar import Controller, Response, get
from litestar.datastructures import ResponseHeader
from litestar.params import QueryParameter

from opora.api.details import details
from opora.api.policy import FORWARDED, INTERNAL
from opora.api.values import WORD_PATTERN
from opora.core.access.model.identities import Identity
from opora.core.access.usecases.gateway import TellIdentity
from opora.core.kernel.model import Actor

UPSTREAM = "upstream"
"""For whom an identity is signed when the gateway does not say."""
TOLD = (
    "X-User-Id",
    "X-Scopes",
    "X-Roles",
    "X-Subscription-Tier",
    "X-Email-Verified",
    "X-Api-Key-Id",
    "X-Opora-Identity",
)
REFUSES = details(refusals=(401, 403))
TELLS = [ResponseHeader(name=name, documentation_only=True) for name in TOLD]

Upstream = Annotated[
    str | None,
    QueryParameter(max_length=64, pattern=WORD_PATTERN, description="The service the signed identity is for."),
]
Needed = Annotated[
    str | None,
    QueryParameter(
        name="scope",
        max_length=1000,
        pattern=r"^(?:[a-z_:]+(?:[ ,][a-z_:]+)*)?$(?!\n)",
        description="Scopes, by spaces or commas, without which the caller is answered 403.",
    ),
]


class GatewayController(Controller):
    """Who stands behind a call, for gateways in the internal networks."""

    path = "/"
    tags = ["Gateway"]  # noqa: RUF012  # Litestar reads a plain list

    @get("/auth/internal/jwt/validate", status_code=204, opt={**INTERNAL, **REFUSES}, response_headers=TELLS)
    async def validate(
        self, actor: FromDishka[Actor], tell: FromDishka[TellIdentity], upstream: Upstream = None, needed: Needed = None
    ) -> Response[None]:
        """Tell a gateway whose token or key it is, in headers; nothing is charged unless X-Gateway-Charge is 1."""
        return answer(*await tell(actor, upstream or UPSTREAM, wanted(needed)))

    @get("/authz/forward", status_code=204, opt={**FORWARDED, **REFUSES}, response_headers=TELLS)
    async def forward(
        self, actor: FromDishka[Actor], tell: FromDishka[TellIdentity], upstream: Upstream = None, needed: Needed = None
    ) -> Response[None]:
        """The same for proxies that forward calls to be judged (Traefik, Caddy, Envoy); the client is charged."""
        return answer(*await tell(actor, upstream or UPSTREAM, wanted(needed)))


def wanted(scopes: str | None) -> list[str]:
    """Return the scopes of a list by spaces or commas."""
    return (scopes or "").replace(",", " ").split()


def answer(identity: Identity, signed: str) -> Response[Any]:
    """Write an identity as headers: every one of them, empty where there is nothing to say.

    A gateway that copies an empty header removes what a client has sent under its name; one that is not there it
    would let through.
    """
    values = (
        "" if identity.user_id is None else str(identity.user_id),
        ",".join(sorted(identity.scopes)),
        ",".join(sorted(identity.roles)),
        identity.tier,
        "true" if identity.email_verified else "false",
        "" if identity.key_id is None else str(identity.key_id),
        signed,
    )
    return Response(None, status_code=204, headers=dict(zip(TOLD, values, strict=True)))
