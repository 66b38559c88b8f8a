"""What may be called from here: hosts are resolved, every address judged, and the very one judged is called."""

import asyncio
import socket
from collections.abc import Iterable, Sequence
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network
from urllib.parse import urlsplit

from opora.core.kernel.rules import is_public
from opora.core.notifications.ports.channels import Destinations

RESOLVE_TIMEOUT_S = 5.0
PORT_MAX = 65535


class Forbidden(Exception):
    """The address lies inside the network."""


class NoAddress(Exception):
    """The host's name leads nowhere, for now at least."""


class Addresses:
    """The rule of what may be called: public addresses, and those of the networks an operator names."""

    def __init__(self, allowed: Iterable[str] = ()) -> None:
        self._allowed: list[IPv4Network | IPv6Network] = [ip_network(one, strict=False) for one in allowed]

    def is_named(self, address: str) -> bool:
        """Tell whether an operator named a network that holds the address."""
        parsed = ip_address(address)
        return any(parsed.version == one.version and parsed in one for one in self._allowed)

    def may_call(self, address: str) -> bool:
        """Tell whether an address may be called."""
        return self.is_named(address) or is_public(ip_address(address))

    async def resolved(self, host: str, port: int) -> Sequence[str]:
        """Return every address of a host; raises NoAddress, or Forbidden where one may not be called."""
        try:
            async with asyncio.timeout(RESOLVE_TIMEOUT_S):
                found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
        except (OSError, UnicodeError, TimeoutError) as error:
            raise NoAddress("the host has no address") from error
        addresses = list(dict.fromkeys(str(one[4][0]).partition("%")[0] for one in found))
        if not all(self.may_call(one) for one in addresses):
            raise Forbidden("the host has an address inside the network")
        return addresses


class CheckedDestinations(Destinations):
    """Judges a URL when it is registered; when it is called, it is judged again."""

    def __init__(self, addresses: Addresses) -> None:
        self._addresses = addresses

    async def refusal(self, url: str) -> str | None:
        host, port, fault = taken_apart(url)
        if fault is not None:
            return fault
        try:
            found = await self._addresses.resolved(host, port)
        except Forbidden:
            return "leads to an address that may not be called from here"
        except NoAddress:
            return "names a host that has no address"
        if url.startswith("http:") and not all(self._addresses.is_named(one) for one in found):
            return "begins with https://"
        return None


def taken_apart(url: str) -> tuple[str, int, str | None]:
    """Return host and port of a URL, and what is wrong with it where something is."""
    if not url.isascii() or any(one.isspace() or not one.isprintable() for one in url):
        return "", 0, "holds a space, a control character or a letter that is not ASCII"
    try:
        parts = urlsplit(url)
        port = parts.port or (443 if parts.scheme == "https" else 80)
        host = parts.hostname or ""
    except ValueError:
        return "", 0, "is no URL"
    if parts.scheme not in {"https", "http"}:
        return "", 0, "begins with https://"
    if not host or parts.username is not None or parts.password is not None:
        return "", 0, "names a host and nobody's name or password"
    return host, port, None
