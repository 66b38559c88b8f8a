"""The page on which a payment of the sandbox is paid or refused, as at a provider's own."""

from html import escape
from typing import Annotated

from dishka import FromDishka
from litestar import Controller, Response, get, post
from litestar.params import PathParameter

from opora.api.policy import PUBLIC
from opora.core.billing.model.payments import PaymentStatus, ToConfirm
from opora.core.billing.ports.providers import ConfirmationDesk
from opora.core.billing.rules.amounts import written
from opora.core.billing.usecases.settling import ConfirmPayment

Token = Annotated[str, PathParameter(max_length=200, description="What opens the page.")]
CSP = "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'"
PAGE = """<!doctype html>
<html lang="en">
<head><meta charset="utf-8"><title>Opora sandbox</title><meta name="viewport" content="width=device-width"></head>
<body style="max-width:28rem;margin:3rem auto;font:1.1rem/1.5 sans-serif">
<h1>{amount}</h1>
<p>{description}</p>
<p>Песочница: деньги не списываются. · A sandbox: no money moves.</p>
{rest}
</body>
</html>
"""
CHOICE = """<form method="post" action="{token}/pay"><button>Оплатить · Pay</button></form>
<form method="post" action="{token}/refuse"><button>Отказаться · Refuse</button></form>"""
WORDS = {PaymentStatus.SUCCEEDED: "Оплачено · Paid", PaymentStatus.CANCELLED: "Отказано · Refused"}


class ConfirmationController(Controller):
    """Stands in for a provider's page where the sandbox is the provider; elsewhere there is none."""

    path = "/payments/sandbox"
    include_in_schema = False

    @get("/{token:str}", opt=PUBLIC)
    async def show(self, token: Token, desk: FromDishka[ConfirmationDesk]) -> Response[bytes]:
        """Show what is to be paid."""
        return page(await desk.read(token), token)

    @post("/{token:str}/pay", status_code=200, opt=PUBLIC)
    async def pay(self, token: Token, confirm: FromDishka[ConfirmPayment]) -> Response[bytes]:
        """Pay."""
        return page(await confirm(token, PaymentStatus.SUCCEEDED), token)

    @post("/{token:str}/refuse", status_code=200, opt=PUBLIC)
    async def refuse(self, token: Token, confirm: FromDishka[ConfirmPayment]) -> Response[bytes]:
        """Refuse to pay."""
        return page(await confirm(token, PaymentStatus.CANCELLED), token)


def page(shown: ToConfirm, token: str) -> Response[bytes]:
    """Write the page; nobody on the way keeps it."""
    word = WORDS.get(shown.status)
    rest = CHOICE.format(token=escape(token)) if word is None else f"<p><strong>{word}</strong></p>"
    if word is not None and shown.return_url:
        rest += f'\n<p><a href="{escape(shown.return_url)}">Вернуться · Go back</a></p>'
    amount = f"{written(shown.amount.amount_minor, shown.amount.currency)} {shown.amount.currency}"
    content = PAGE.format(amount=escape(amount), description=escape(shown.description), rest=rest)
    headers = {"content-security-policy": CSP, "cache-control": "no-store"}
    return Response(content.encode(), media_type="text/html", headers=headers)
