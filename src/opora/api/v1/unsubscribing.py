"""HTTP face of the links that end letters of a kind: one click in a mail program (RFC 8058), or a button."""

from typing import Annotated

from dishka import FromDishka
from litestar import Controller, Response, get, post
from litestar.params import PathParameter

from opora.api.details import details
from opora.api.policy import PUBLIC, UNREPEATABLE
from opora.core.kernel.model import Actor
from opora.core.notifications.usecases.personal import Unsubscribe

Token = Annotated[str, PathParameter(max_length=200)]
HTML = "text/html"
PAGE_CSP = "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'"
SHOWN = {**PUBLIC, **UNREPEATABLE, **details(media={HTML: {"type": "string"}}, refusals=(404,))}
PAGE = """<!doctype html>
<html lang="ru"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<meta name="robots" content="noindex"><title>Opora</title></head>
<body style="margin:0;padding:24px;font:16px/1.5 sans-serif;color:#222;background:#fff">
<main style="max-width:560px;margin:0 auto">
{body}
</main></body></html>
"""
QUESTION = """<p>Больше не присылать таких писем?</p>
<p lang="en">Send no more letters of this kind?</p>
<form method="post"><input type="hidden" name="List-Unsubscribe" value="One-Click">
<button style="font:inherit;padding:8px 16px">Не присылать / Unsubscribe</button></form>
"""
DONE = """<p>Таких писем больше не будет. Вернуть их можно в настройках уведомлений.</p>
<p lang="en">There will be no more letters of this kind. The preferences of notifications bring them back.</p>
"""


class UnsubscribeController(Controller):
    """Links of letters, for whoever has the letter."""

    path = "/notifications/unsubscribe"
    tags = ["Notifications"]  # noqa: RUF012  # Litestar reads a plain list

    @get("/{token:str}", opt=SHOWN)
    async def ask(self, token: Token, unsubscribe: FromDishka[Unsubscribe]) -> Response[str]:
        """Show a page with the button: reading it, as programs that check links do, ends nothing."""
        unsubscribe.check(token)
        return page(QUESTION)

    @post("/{token:str}", status_code=200, opt={**SHOWN, "ignores_body": True})
    async def end(self, token: Token, actor: FromDishka[Actor], unsubscribe: FromDishka[Unsubscribe]) -> Response[str]:
        """End the letters of the kind that the link stands in; the body is a mail program's and is not read."""
        await unsubscribe(token, actor.origin)
        return page(DONE)


def page(body: str) -> Response[str]:
    """Return a page that may send its own form and nothing else."""
    headers = {"content-security-policy": PAGE_CSP, "cache-control": "no-store"}
    return Response(PAGE.format(body=body), media_type=f"{HTML}; charset=utf-8", headers=headers)
