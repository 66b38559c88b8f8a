"""`opora signing-keys`: the keys that access tokens and identities are signed with."""

from argparse import ArgumentParser
from collections.abc import Sequence
from typing import Any

from opora.cli.command import Call, Command
from opora.cli.running import Application, run
from opora.cli.values import whole
from opora.core.access.model.tokens import KeyPurpose, SigningKey, SigningKeyState
from opora.core.access.ports.transaction import AccessTx
from opora.core.access.usecases.signing import RotateSigningKey, WithdrawSigningKeys
from opora.core.kernel.model import SYSTEM
from opora.core.kernel.ports import UnitOfWork

DAY_S = 86_400


def show(call: Call) -> None:
    """List the keys, the oldest first."""

    async def work(app: Application) -> Sequence[SigningKey]:
        unit = await app.get(UnitOfWork[AccessTx])
        async with unit() as tx:
            return await tx.signing_keys.all()

    keys = run(work)
    call.output.document({"results": [plain_key(one) for one in keys]})
    call.output.table(
        ["KID", "PURPOSE", "ALGORITHM", "STATE", "CREATED", "SIGNS FROM", "CHECKS UNTIL"],
        [
            [one.id, one.purpose, one.algorithm, one.state, one.created_at, one.activates_at, one.retires_at]
            for one in keys
        ],
    )


def rotate(call: Call) -> None:
    """Make the next key; it is published now and signs when everybody who checks has read it."""
    given = call.arguments
    purpose = KeyPurpose(given.purpose)

    async def work(app: Application) -> SigningKey:
        if given.withdraw:
            withdraw = await app.get(WithdrawSigningKeys)
            return await withdraw(SYSTEM, purpose)
        turn = await app.get(RotateSigningKey)
        return await turn(SYSTEM, purpose, 0 if given.now else given.after)

    key = run(work)
    call.output.document(plain_key(key))
    if key.state is SigningKeyState.ACTIVE:
        call.output.line(f"Key {key.id} ({key.algorithm}) signs now.")
    else:
        call.output.line(f"Key {key.id} ({key.algorithm}) is published and signs from {key.activates_at} on.")


def plain_key(key: SigningKey) -> dict[str, Any]:
    """Return a key as JSON shows it, without its private part."""
    return {
        "kid": key.id,
        "purpose": key.purpose,
        "algorithm": key.algorithm,
        "state": key.state,
        "created_at": key.created_at,
        "activates_at": key.activates_at,
        "retires_at": key.retires_at,
    }


def _rotate_arguments(parser: ArgumentParser) -> None:
    purposes = [str(purpose) for purpose in KeyPurpose]
    parser.add_argument("--purpose", choices=purposes, default="access", metavar="PURPOSE",
                        help="access (tokens) or identity (what the gateway tells other services)")  # fmt: skip
    parser.add_argument("--after", type=whole(0, 7 * DAY_S), metavar="SECONDS",
                        help="when it begins to sign, instead of OPORA_SIGNING_KEY_PUBLISH_S")  # fmt: skip
    parser.add_argument("--now", action="store_true",
                        help="sign at once: others that keep the published keys may refuse for minutes")  # fmt: skip
    parser.add_argument("--withdraw", action="store_true",
                        help="for a key that got out: sign at once, and refuse all that was signed before")  # fmt: skip


COMMANDS = {
    "list": Command("List the keys that sign, with what becomes of each", show),
    "rotate": Command("Publish a new key that signs after a while", rotate, _rotate_arguments,
                      "opora signing-keys rotate"),
}  # fmt: skip
