"""HTTP face of one's account: becoming known, passwords, the second factor."""

from typing import Annotated, Any

from dishka import FromDishka
from litestar import Controller, Request, Response, delete, post
from litestar.params import JSONBody
from msgspec import Meta, Struct

from opora.api.cookies import BrowserCookies
from opora.api.details import details
from opora.api.policy import FRESH, PUBLIC, REPEATABLE, SIGNED_IN, UNREPEATABLE
from opora.api.v1.auth import BY_SECRET, NO_STORE
from opora.api.v1.users import Address, Name
from opora.api.values import Secret, Word
from opora.core.access.model.people import NewUser
from opora.core.access.model.proofs import Enrolment, RecoveryCodes
from opora.core.access.model.tokens import TokenPair
from opora.core.access.usecases.login import FinishLogIn
from opora.core.access.usecases.passwords import ChangePassword, ForgotPassword, ResetPassword
from opora.core.access.usecases.registration import AskVerification, Register, VerifyEmail
from opora.core.access.usecases.second_factor import ConfirmSecondFactor, EnrolSecondFactor, RemoveSecondFactor
from opora.core.kernel.model import Actor

Token = Annotated[str, Meta(min_length=1, max_length=256)]
Code = Annotated[str, Meta(min_length=1, max_length=64)]
IN_PERSON = {**SIGNED_IN, **details(refusals=(404,))}
FRESHLY = {**FRESH, **details(refusals=(404,))}


class Registration(Struct, frozen=True, forbid_unknown_fields=True):
    """Who wants to be known."""

    email: Address
    password: Secret
    full_name: Name | None = None
    locale: Word | None = None


class Addressed(Struct, frozen=True, forbid_unknown_fields=True):
    """An address that a letter may go to."""

    email: Address


class GivenToken(Struct, frozen=True, forbid_unknown_fields=True):
    """The token of a letter."""

    token: Token


class NewPassword(Struct, frozen=True, forbid_unknown_fields=True):
    """The token of a letter and the password that is to be."""

    token: Token
    password: Secret


class ChangedPassword(Struct, frozen=True, forbid_unknown_fields=True):
    """The present password and the one that is to be."""

    current_password: Secret
    password: Secret


class GivenCode(Struct, frozen=True, forbid_unknown_fields=True):
    """A code of this moment."""

    code: Code


class SecondStep(Struct, frozen=True, forbid_unknown_fields=True):
    """What the first step of a log-in answered with, and a code or a recovery code."""

    mfa_token: Token
    code: Code


class AccountController(Controller):
    """One's account before and beside sessions."""

    path = "/auth"
    tags = ["Account"]  # noqa: RUF012  # Litestar reads a plain list

    @post("/register", status_code=202, opt={**PUBLIC, **REPEATABLE})
    async def register(
        self, data: JSONBody[Registration], actor: FromDishka[Actor], register: FromDishka[Register]
    ) -> Addressed:
        """Register as a client. The answer is the same for an address that is taken; its owner gets a letter."""
        wanted = NewUser(
            email=data.email, password=data.password, full_name=data.full_name or "", locale=data.locale or "en"
        )
        return Addressed(await register(wanted, actor.origin))

    @post("/verify-email", status_code=204, opt={**PUBLIC, **UNREPEATABLE})
    async def verify(
        self, data: JSONBody[GivenToken], actor: FromDishka[Actor], verify: FromDishka[VerifyEmail]
    ) -> None:
        """Show that the address is one's own, with the token of the letter."""
        await verify(data.token, actor.origin)

    @post("/verify-email/resend", status_code=204, opt=IN_PERSON)
    async def resend(self, actor: FromDishka[Actor], ask: FromDishka[AskVerification]) -> None:
        """Have the letter with the token written once more; nothing is sent for an address that is verified."""
        await ask(actor)

    @post("/password/forgot", status_code=202, opt=PUBLIC)
    async def forgot(
        self, data: JSONBody[Addressed], actor: FromDishka[Actor], forgot: FromDishka[ForgotPassword]
    ) -> Addressed:
        """Have a letter written that lets its reader set a new password; the answer never tells whether it was."""
        await forgot(data.email, actor.origin)
        return data

    @post("/password/reset", status_code=204, opt={**PUBLIC, **UNREPEATABLE})
    async def reset(
        self, data: JSONBody[NewPassword], actor: FromDishka[Actor], reset: FromDishka[ResetPassword]
    ) -> None:
        """Set a new password with the token of the letter; every session ends."""
        await reset(data.token, data.password, actor.origin)

    @post("/password/change", status_code=204, opt={**IN_PERSON, **UNREPEATABLE})
    async def change(
        self, data: JSONBody[ChangedPassword], actor: FromDishka[Actor], change: FromDishka[ChangePassword]
    ) -> None:
        """Set a new password with the present one; every other session ends."""
        await change(actor, data.current_password, data.password)

    @post("/login/mfa", status_code=200, opt=BY_SECRET, response_headers=NO_STORE)
    async def finish(
        self,
        request: Request[Any, Any, Any],
        data: JSONBody[SecondStep],
        actor: FromDishka[Actor],
        finish: FromDishka[FinishLogIn],
        browser: FromDishka[BrowserCookies],
    ) -> Response[TokenPair]:
        """Finish a log-in that answered `mfa_required`, with a code of this moment or a recovery code."""
        device = browser.device(request)
        return browser.answer(await finish(data.mfa_token, data.code, actor.origin, device), device)

    @post("/mfa/totp", status_code=201, opt=FRESHLY, response_headers=NO_STORE)
    async def enrol(self, actor: FromDishka[Actor], enrol: FromDishka[EnrolSecondFactor]) -> Enrolment:
        """Get a secret for an authenticator, and recovery codes; it counts once a code has confirmed it."""
        return await enrol(actor)

    @post("/mfa/totp/confirm", status_code=200, opt={**FRESHLY, **UNREPEATABLE}, response_headers=NO_STORE)
    async def confirm(
        self, data: JSONBody[GivenCode], actor: FromDishka[Actor], confirm: FromDishka[ConfirmSecondFactor]
    ) -> RecoveryCodes:
        """Confirm the secret with a code; log-ins ask for one from now on."""
        return await confirm(actor, data.code)

    @delete("/mfa/totp", status_code=204, opt=FRESHLY)
    async def remove(self, actor: FromDishka[Actor], remove: FromDishka[RemoveSecondFactor]) -> None:
        """Remove the second factor."""
        await remove(actor)
