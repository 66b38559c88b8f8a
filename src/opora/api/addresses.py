"""Whose address a request comes from, told by the proxies that are trusted and by nobody else."""

from collections.abc import Iterable
from functools import lru_cache
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network

LIMIT_PREFIX_V6 = 64
"""One subscriber usually holds a whole /64 of IPv6; limits count it as one address."""
HOPS_MAX = 32

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network


class Networks:
    """A set of CIDR ranges that remembers what it was asked."""

    def __init__(self, ranges: Iterable[str]) -> None:
        self.ranges: tuple[Network, ...] = tuple(ip_network(one.strip(), strict=False) for one in ranges)
        self.holds = lru_cache(4096)(self._holds)

    def _holds(self, text: str) -> bool:
        """Tell whether an address lies in one of the ranges; False for what is no address."""
        address = parsed(text)
        return address is not None and any(address in one for one in self.ranges if one.version == address.version)


@lru_cache(4096)
def parsed(text: str) -> Address | None:
    """Return the address, an IPv4 one mapped into IPv6 as IPv4, or None for anything else."""
    try:
        address = ip_address(text.partition("%")[0])
    except ValueError:
        return None
    if isinstance(address, IPv6Address) and address.ipv4_mapped is not None:
        return address.ipv4_mapped
    return address


@lru_cache(4096)
def limit_name(text: str) -> str:
    """Return what limits count for an address: itself, or its /64 when it is IPv6."""
    address = parsed(text)
    if isinstance(address, IPv6Address):
        return str(ip_network((address, LIMIT_PREFIX_V6), strict=False))
    return text if address is None else str(address)


class Proxies:
    """The proxies whose X-Forwarded-For is believed; none, unless told."""

    def __init__(self, trusted: Iterable[str] = ()) -> None:
        self.trusted = Networks(trusted)

    def client(self, peer: str, forwarded: bytes | None) -> str:
        """Return the client's address: the peer, or the first untrusted hop from the right if the peer is trusted.

        A hop that is no address ends the walk, as what stands left of it was written by whoever wrote it.
        """
        if forwarded is None or not self.trusted.ranges or not self.trusted.holds(peer):
            return peer
        found = peer
        for hop in reversed(forwarded.decode("latin-1").split(",")[-HOPS_MAX:]):
            address = parsed(_bare(hop.strip()))
            if address is None:
                break
            found = str(address)
            if not self.trusted.holds(found):
                break
        return found


def _bare(hop: str) -> str:
    """Strip a port: `192.0.2.1:4711` and `[2001:db8::1]:4711` are both written by proxies."""
    if hop.startswith("["):
        return hop[1:].partition("]")[0]
    return hop.partition(":")[0] if hop.count(":") == 1 else hop
