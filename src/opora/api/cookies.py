"""The refresh token in a cookie, for pages of the service's own origin, and who may have it sent along.

No script can read such a cookie, so a page that was taken over cannot carry it away. But any page can have it sent:
the browser's word of where a request comes from is asked (fetch metadata, Origin), and a header that a page of another
origin cannot set without asking first.
"""

from dataclasses import dataclass, replace
from secrets import token_urlsafe
from typing import Any
from urllib.parse import urlsplit

from litestar import Request, Response

from opora.api.errors import CrossSite
from opora.core.access.model.tokens import TokenPair

REFRESH = "__Host-opora_refresh"
DEVICE = "__Host-opora_device"
"""By this prefix browsers take the cookie only if it is Secure, for this host alone and for every path."""
WISH = "x-opora-cookies"
"""The header by which a page says that it wants cookies; no value of it matters but `1`."""
DEVICE_BYTES = 24
DEVICE_AGE_S = 365 * 86_400
COOKIE_LENGTH_MAX = 256


@dataclass(frozen=True, slots=True)
class BrowserCookies:
    """Whether refresh tokens may travel in cookies, how long those live, and the origin whose pages may use them."""

    enabled: bool = False
    max_age_s: int = 14 * 86_400
    origin: str = ""

    def wanted(self, request: Request[Any, Any, Any]) -> bool:
        """Tell whether the page asks for cookies and may have them; raise CrossSite for a page of another origin."""
        if not self.enabled or request.headers.get(WISH) != "1":
            return False
        self.refuse_cross_site(request)
        return True

    def refresh_token(self, request: Request[Any, Any, Any]) -> str | None:
        """Return the refresh token that a cookie brought; raise CrossSite unless a page of this origin sent it."""
        if not self.enabled or REFRESH not in request.cookies:
            return None
        if request.headers.get(WISH) != "1":
            raise CrossSite(f"A call under a cookie carries `{WISH}: 1`.")
        self.refuse_cross_site(request)
        return request.cookies[REFRESH][:COOKIE_LENGTH_MAX]

    def device(self, request: Request[Any, Any, Any]) -> str | None:
        """Return what this browser is known by, made up where it is new; None where it takes no cookies."""
        if not self.wanted(request):
            return None
        return request.cookies.get(DEVICE, "")[:COOKIE_LENGTH_MAX] or token_urlsafe(DEVICE_BYTES)

    def refuse_cross_site(self, request: Request[Any, Any, Any]) -> None:
        """Raise CrossSite when the browser says that a page of another origin sent this."""
        site, origin = request.headers.get("sec-fetch-site"), request.headers.get("origin")
        if site is not None and site not in {"same-origin", "none"}:
            raise CrossSite
        if origin is not None and origin != (self.origin or f"{request.url.scheme}://{request.url.netloc}"):
            raise CrossSite

    def answer(self, pair: TokenPair, device: str | None) -> Response[TokenPair]:
        """Return the pair; its refresh token in a cookie, and empty in the body, for a browser that wants it so."""
        headers = {"cache-control": "no-store"}
        if device is None:
            return Response(pair, status_code=200, headers=headers)
        answer = Response(replace(pair, refresh_token=""), status_code=200, headers=headers)
        _set(answer, REFRESH, pair.refresh_token, self.max_age_s)
        _set(answer, DEVICE, device, DEVICE_AGE_S)
        return answer


def cleared() -> Response[None]:
    """Return the answer to leaving: nothing, and no refresh token in the browser any more; the device stays known."""
    answer = Response(None, status_code=204)
    _set(answer, REFRESH, "", 0)
    return answer


def origin_of(url: str) -> str:
    """Return the origin of a URL as browsers write it."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}" if parts.netloc else ""


def _set(answer: Response[Any], name: str, value: str, age_s: int) -> None:
    answer.set_cookie(name, value, max_age=age_s, path="/", secure=True, httponly=True, samesite="strict")
