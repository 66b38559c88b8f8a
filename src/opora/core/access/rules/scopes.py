"""Who may grant what."""

from collections.abc import Iterable

from opora.core.access.errors import BeyondOwnRights
from opora.core.access.model.scopes import SCOPES
from opora.core.kernel.model import Actor


def unknown_scopes(scopes: Iterable[str]) -> list[str]:
    """Return one message for each scope there is not."""
    return [f"there is no scope {scope!r}" for scope in sorted(set(scopes) - SCOPES.keys())]


def refuse_beyond(actor: Actor, scopes: frozenset[str]) -> None:
    """Raise BeyondOwnRights, naming the scopes, unless the actor holds every one of them."""
    beyond = sorted(scope for scope in scopes if not actor.may(scope))
    if beyond:
        raise BeyondOwnRights(f"you do not hold {', '.join(beyond)} yourself", scopes=beyond)
