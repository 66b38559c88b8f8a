"""Which addresses are of the open internet, whatever they are wrapped in."""

from ipaddress import IPv4Address, IPv6Address, ip_address

import pytest
from hypothesis import given
from hypothesis import strategies as st

from opora.core.kernel.rules import is_public

WRAPPINGS = {
    "mapped": lambda v4: IPv6Address(0xFFFF << 32 | v4),
    "translated": lambda v4: IPv6Address(0xFFFF << 48 | v4),
    "compatible": IPv6Address,
    "NAT64": lambda v4: IPv6Address(0x64FF9B << 96 | v4),
    "6to4": lambda v4: IPv6Address(0x2002 << 112 | v4 << 80),
    "Teredo": lambda v4: IPv6Address(0x20010000 << 96 | 0x41D01F << 64 | v4 ^ 0xFFFFFFFF),
    "ISATAP": lambda v4: IPv6Address(0x20010470 << 96 | 0x5EFE << 32 | v4),
}


@pytest.mark.parametrize("wrapping", WRAPPINGS.values(), ids=WRAPPINGS)
@given(v4=st.integers(2, 2**32 - 1))
def test_a_wrapped_address_is_as_public_as_what_it_leads_to(wrapping, v4):
    assert is_public(wrapping(v4)) == is_public(IPv4Address(v4))


@pytest.mark.parametrize(
    "address",
    [
        *("0.0.0.0", "127.0.0.1", "10.1.2.3", "172.16.0.1", "192.168.0.1", "169.254.169.254", "100.64.0.1"),  # noqa: S104
        *("192.0.0.8", "198.18.0.1", "224.0.0.1", "240.0.0.1", "255.255.255.255"),
        *("::", "::1", "fe80::1", "fec0::1", "fd00::1", "ff02::1", "100::1", "2001:db8::1", "64:ff9b:1::a00:1"),
        *("4000::1", "5f00::1"),
    ],
)
def test_what_is_of_one_network_or_of_nobody_is_not_public(address):
    assert not is_public(ip_address(address))


@pytest.mark.parametrize("address", ["8.8.8.8", "93.184.216.34", "2606:4700::1111", "2a00:1450:4010::1"])
def test_what_is_given_out_is_public(address):
    assert is_public(ip_address(address))
