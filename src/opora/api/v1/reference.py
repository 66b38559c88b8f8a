"""HTTP face of the documentation: the OpenAPI document and two viewers, served from the package alone."""

from functools import lru_cache
from html import escape
from importlib.resources import files
from typing import Any

from litestar import Controller, Request, Response, get
from litestar.params import FromPath

from opora.api.catalogue import loaded, page
from opora.api.openapi import document
from opora.api.policy import EXEMPT
from opora.api.security import DOCS_CSP
from opora.core.kernel.errors import NotFound

ASSETS = {
    "swagger-ui-bundle.js": "text/javascript",
    "swagger-ui.css": "text/css",
    "swagger-start.js": "text/javascript",
    "redoc.standalone.js": "text/javascript",
    "redoc-start.js": "text/javascript",
    "favicon-32x32.png": "image/png",
}
PAGE = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<title>Opora API</title>
<meta name="viewport" content="width=device-width, initial-scale=1">
<link rel="icon" type="image/png" href="/docs/assets/favicon-32x32.png">
{style}</head>
<body>
<div id="viewer"></div>
<script src="/docs/assets/{viewer}"></script>
<script src="/docs/assets/{start}"></script>
</body>
</html>
"""
STYLE = '<link rel="stylesheet" href="/docs/assets/swagger-ui.css">\n'
SWAGGER = PAGE.format(style=STYLE, viewer="swagger-ui-bundle.js", start="swagger-start.js").encode()
REDOC = PAGE.format(style="", viewer="redoc.standalone.js", start="redoc-start.js").encode()
MEANING = """<!doctype html>
<html lang="en">
<head><meta charset="utf-8"><title>{code}</title></head>
<body>
<h1>{code}</h1>
{text}<p><a href="/guide/problems/{code}">In the guide</a></p>
</body>
</html>
"""
DAY = {"cache-control": "public, max-age=86400"}


class ReferenceController(Controller):
    """The reference, for people and programs."""

    path = "/"
    include_in_schema = False

    @get("/openapi.json", opt=EXEMPT)
    async def openapi(self, request: Request[Any, Any, Any]) -> Response[bytes]:
        """Give the OpenAPI document."""
        return Response(document(request.app), media_type="application/json", headers={"cache-control": "no-cache"})

    @get("/docs", opt=EXEMPT)
    async def swagger(self) -> Response[bytes]:
        """Show the API in Swagger UI."""
        return _page(SWAGGER)

    @get("/redoc", opt=EXEMPT)
    async def redoc(self) -> Response[bytes]:
        """Show the API in ReDoc."""
        return _page(REDOC)

    @get("/docs/assets/{asset_name:str}", opt=EXEMPT)
    async def asset(self, asset_name: FromPath[str]) -> Response[bytes]:
        """Give a file of the viewers."""
        media_type = ASSETS.get(asset_name)
        if media_type is None:
            raise NotFound
        return Response(_content(asset_name), media_type=media_type, headers=DAY)

    @get("/problems/{code:str}", opt=EXEMPT)
    async def problem(self, code: FromPath[str]) -> Response[bytes]:
        """Say what a problem's code means and what to do: its `type` may lead here."""
        kind = loaded().get(code)
        if kind is None:
            raise NotFound
        lines = [escape(line) for line in page(kind).replace("**", "").replace("`", "").split("\n") if line]
        text = "".join(f"<p>{line}</p>\n" for line in lines[1:])
        return _page(MEANING.format(code=escape(code), text=text).encode())

    @get("/favicon.ico", opt=EXEMPT)
    async def favicon(self) -> Response[bytes]:
        """Give the browser its picture."""
        return Response(_content("favicon-32x32.png"), media_type="image/png", headers=DAY)


@lru_cache(len(ASSETS))
def _content(name: str) -> bytes:
    return (files("opora.api") / "static" / name).read_bytes()


def _page(content: bytes) -> Response[bytes]:
    headers = {"content-security-policy": DOCS_CSP.decode("ascii"), "cache-control": "no-cache"}
    return Response(content, media_type="text/html", headers=headers)
