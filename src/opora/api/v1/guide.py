"""HTTP face of the guide: pages, styles, scripts and the index of the search, from the package alone."""

from typing import Any, ClassVar

from litestar import Controller, Request, Response, get
from litestar.params import FromPath

from opora.api.downloads import names
from opora.api.guide import Guide, NotBuilt, takes_gzip
from opora.api.policy import EXEMPT
from opora.api.security import GUIDE_CSP, PICTURE_CSP
from opora.core.kernel.errors import NotFound

DRAWING = "image/svg+xml"
LASTING = "public, max-age=31536000, immutable"
NOT_BUILT = b"""<!doctype html>
<html lang="en">
<head><meta charset="utf-8"><title>The guide is not built</title></head>
<body>
<h1>The guide is not built</h1>
<p>This copy of Opora was installed without it. In a checkout, <code>make docs</code> builds it.</p>
<p><a href="/docs">The calls</a> are described all the same.</p>
</body>
</html>
"""


class GuideController(Controller):
    """The guide, for people."""

    path = "/guide"
    include_in_schema = False
    guide: ClassVar[Guide] = Guide()

    @get("/", opt=EXEMPT)
    async def first(self, request: Request[Any, Any, Any]) -> Response[Any]:
        """Show the first page."""
        return self._answer(request, "")

    @get("/{address:path}", opt=EXEMPT)
    async def page(self, request: Request[Any, Any, Any], address: FromPath[str]) -> Response[Any]:
        """Show a page, or give what pages are shown with."""
        return self._answer(request, address.removeprefix("/"))

    def _answer(self, request: Request[Any, Any, Any], address: str) -> Response[Any]:
        headers = {"content-security-policy": GUIDE_CSP.decode("ascii"), "cache-control": "no-cache"}
        try:
            entry = self.guide.find(address)
        except NotBuilt:
            return Response(NOT_BUILT, status_code=404, media_type="text/html", headers=headers)
        if entry is None:
            raise NotFound
        packed = takes_gzip(request.headers.get("accept-encoding", ""))
        headers["etag"] = f'"{entry.tag}{"-gz" if packed else ""}"'
        headers["vary"] = "Accept-Encoding"
        if entry.media_type == DRAWING:
            headers["content-security-policy"] = PICTURE_CSP.decode("ascii")
        if entry.is_lasting:
            headers["cache-control"] = LASTING
        if names(request.headers.get("if-none-match", ""), headers["etag"], weakly=True):
            return Response(None, status_code=304, headers=headers)
        if packed:
            headers["content-encoding"] = "gzip"
        return Response(self.guide.read(entry, packed=packed), media_type=entry.media_type, headers=headers)
