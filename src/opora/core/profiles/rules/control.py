"""Check digits by table: what three digits at a place add to a sum, looked up instead of computed.

The published algorithms, digit by digit, stand in `checks`; the tests hold one against the other.
"""

from collections.abc import Sequence

THREE = tuple(f"{number:03d}" for number in range(1000))
TWO = tuple(f"{number:02d}" for number in range(100))
DIGITS = tuple("0123456789")


def weigh(digits: str, weights: Sequence[int]) -> int:
    """Return the sum of digits times weights."""
    return sum(int(digit) * weight for digit, weight in zip(digits, weights, strict=True))


def contributions(weights: Sequence[int], modulus: int) -> tuple[int, ...]:
    """Return for each of 000…999 its weighted sum under three weights, reduced by `modulus`."""
    return tuple(weigh(three, weights) % modulus for three in THREE)


def luhn_weigh(digits: str, doubled: bool) -> int:
    """Return the Luhn sum of digits; `doubled` tells whether the first of them is doubled (ISO/IEC 7812-1)."""
    total = 0
    for digit in digits:
        value = int(digit) * 2 if doubled else int(digit)
        total += value // 10 + value % 10
        doubled = not doubled
    return total


def luhn_contributions(doubled: bool) -> tuple[int, ...]:
    """Return the Luhn sum of each of 000…999 whose first digit is doubled, or is not."""
    return tuple(luhn_weigh(three, doubled) for three in THREE)


def iban_check(bban_number: int, country_number: int) -> str:
    """Return the two check digits of ISO 7064 MOD 97-10: letters count 10…35, the country follows the account."""
    return TWO[98 - (bban_number * 1_000_000 + country_number * 100) % 97]


def letters_as_digits(text: str) -> str:
    """Write letters as their two-digit values of ISO 13616: A is 10, Z is 35."""
    return "".join(str(int(char, 36)) for char in text)
