"""What people do with the places that notices go to."""

from base64 import b64encode
from collections.abc import Sequence
from dataclasses import dataclass, replace
from urllib.parse import urlsplit

from opora.core.kernel.model import Actor, Change
from opora.core.kernel.ports import Clock, Randomness, UnitOfWork
from opora.core.notifications.errors import NoSuchPlace, PlaceInvalid, TooManyPlaces
from opora.core.notifications.model.kinds import KINDS
from opora.core.notifications.model.places import (
    AUTH_BYTES,
    ENDPOINTS_MAX,
    P256DH_BYTES,
    SUBSCRIPTIONS_MAX,
    URL_LENGTH_MAX,
    PushSubscription,
    WebhookEndpoint,
)
from opora.core.notifications.ports.channels import Destinations
from opora.core.notifications.ports.notices import DeliveryTx
from opora.core.notifications.usecases.personal import person

SECRET_BYTES = 32
UNCOMPRESSED = b"\x04"


@dataclass(frozen=True, slots=True)
class KeepSubscription:
    """Register a browser for Web Push, list one's browsers, remove one."""

    unit: UnitOfWork[DeliveryTx]
    destinations: Destinations
    clock: Clock

    async def __call__(self, actor: Actor, endpoint: str, p256dh: bytes, auth: bytes) -> PushSubscription:
        """Return the subscription; the same endpoint again replaces the old one. Raises PlaceInvalid, TooManyPlaces."""
        user_id = person(actor)
        errors: dict[str, list[str]] = {}
        if len(p256dh) != P256DH_BYTES or not p256dh.startswith(UNCOMPRESSED):
            errors["keys.p256dh"] = ["is an uncompressed point of P-256, 65 bytes in base64url"]
        if len(auth) != AUTH_BYTES:
            errors["keys.auth"] = ["is 16 bytes in base64url"]
        await refuse_destination(self.destinations, "endpoint", endpoint, errors)
        async with self.unit() as tx:
            kept = await tx.subscriptions.of(user_id)
            if len(kept) >= SUBSCRIPTIONS_MAX and endpoint not in {one.endpoint for one in kept}:
                raise TooManyPlaces(limit=SUBSCRIPTIONS_MAX)
            subscription = PushSubscription(
                id=await tx.subscriptions.next_id(),
                user_id=user_id,
                endpoint=endpoint,
                p256dh=p256dh,
                auth=auth,
                created_at=self.clock.now(),
            )
            id = await tx.subscriptions.put(subscription)
        return replace(subscription, id=id)

    async def all(self, actor: Actor) -> Sequence[PushSubscription]:
        """Return one's browsers."""
        user_id = person(actor)
        async with self.unit() as tx:
            return await tx.subscriptions.of(user_id)

    async def remove(self, actor: Actor, id: int) -> None:
        """Forget a browser; raises NoSuchPlace."""
        user_id = person(actor)
        async with self.unit() as tx:
            if not await tx.subscriptions.remove(id, user_id):
                raise NoSuchPlace(subscription_id=id)


@dataclass(frozen=True, slots=True)
class KeepEndpoint:
    """Register a program for webhooks, list one's endpoints, change or remove one."""

    unit: UnitOfWork[DeliveryTx]
    destinations: Destinations
    randomness: Randomness
    clock: Clock

    async def __call__(self, actor: Actor, url: str, kinds: Sequence[str]) -> WebhookEndpoint:
        """Return the endpoint with its secret, which is shown this once. Raises PlaceInvalid, TooManyPlaces."""
        user_id = person(actor)
        unknown = [one for one in kinds if one not in KINDS]
        errors = {"kinds": [f"there is no kind {one}" for one in unknown]} if unknown else {}
        await refuse_destination(self.destinations, "url", url, errors)
        secret = "whsec_" + b64encode(self.randomness.token_bytes(SECRET_BYTES)).decode()
        async with self.unit() as tx:
            if len(await tx.endpoints.of(user_id)) >= ENDPOINTS_MAX:
                raise TooManyPlaces(limit=ENDPOINTS_MAX)
            endpoint = WebhookEndpoint(
                id=await tx.endpoints.next_id(),
                user_id=user_id,
                url=url,
                kinds=tuple(dict.fromkeys(kinds)),
                secret=secret,
                is_active=True,
                created_at=self.clock.now(),
            )
            await tx.endpoints.add(endpoint)
            await tx.audit.record(self._change(actor, "webhook.registered", endpoint))
        return endpoint

    async def all(self, actor: Actor) -> Sequence[WebhookEndpoint]:
        """Return one's endpoints."""
        user_id = person(actor)
        async with self.unit() as tx:
            return await tx.endpoints.of(user_id)

    async def switch(self, actor: Actor, id: int, *, is_active: bool) -> WebhookEndpoint:
        """Turn an endpoint on or off; raises NoSuchPlace."""
        user_id = person(actor)
        async with self.unit() as tx:
            found = await tx.endpoints.get(id)
            if found is None or found.user_id != user_id:
                raise NoSuchPlace(endpoint_id=id)
            endpoint = replace(found, is_active=is_active)
            await tx.endpoints.save(endpoint)
            await tx.audit.record(self._change(actor, "webhook.changed", endpoint))
        return endpoint

    async def remove(self, actor: Actor, id: int) -> None:
        """Forget an endpoint; raises NoSuchPlace."""
        user_id = person(actor)
        async with self.unit() as tx:
            found = await tx.endpoints.get(id)
            if found is None or not await tx.endpoints.remove(id, user_id):
                raise NoSuchPlace(endpoint_id=id)
            await tx.audit.record(self._change(actor, "webhook.removed", found))

    def _change(self, actor: Actor, action: str, endpoint: WebhookEndpoint) -> Change:
        return Change(
            actor=actor,
            action=action,
            entity_type="webhook_endpoint",
            entity_id=str(endpoint.id),
            at=self.clock.now(),
            new={
                "host": urlsplit(endpoint.url).hostname,
                "kinds": list(endpoint.kinds),
                "is_active": endpoint.is_active,
            },
        )


async def refuse_destination(destinations: Destinations, field: str, url: str, errors: dict[str, list[str]]) -> None:
    """Raise PlaceInvalid for a URL that may not be called, or for what was found wrong before."""
    refusal = "is too long" if len(url) > URL_LENGTH_MAX else await destinations.refusal(url)
    if refusal is not None:
        errors[field] = [refusal]
    if errors:
        raise PlaceInvalid(errors=errors)


USE_CASES = (KeepSubscription, KeepEndpoint)
