"""Phone numbers out of any spelling: a fast path for +7, `phonenumbers` behind it.

The fast path takes only spellings of ASCII digits and the usual signs between them, and tells a valid +7 number by the
very patterns of the library, so that both agree by construction; a test compares them. All else is the library's.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

import phonenumbers
from phonenumbers.phonemetadata import PhoneMetadata

from opora.core.numbers.errors.numbers import InvalidPhone

REGION_DEFAULT = "RU"
SPELLING_MAX = 64
"""The longest spelling that is looked at."""
DIGITS_MAX = 15
REGIONS_OF_7 = ("RU", "KZ")
KINDS = (
    "fixed_line", "mobile", "toll_free", "premium_rate", "shared_cost", "personal_number", "voip", "pager", "uan",
    "voicemail",
)  # fmt: skip
SIGNS = {ord(sign): None for sign in " -().\u00a0\u2010\u2011\u2012\u2013\u2014\t"}
WHOLE_FLOAT = re.compile(r"(\d{7,15})\.0+")
SCIENTIFIC = re.compile(r"\d[.,](\d+)[eE]\+?(\d{1,2})")
NATIONAL = 10
REASONS = {
    phonenumbers.NumberParseException.INVALID_COUNTRY_CODE: ("unknown_country", "No country has this code."),
    phonenumbers.NumberParseException.NOT_A_NUMBER: ("not_a_number", "This is no phone number."),
    phonenumbers.NumberParseException.TOO_SHORT_AFTER_IDD: ("too_short", "The number is too short."),
    phonenumbers.NumberParseException.TOO_SHORT_NSN: ("too_short", "The number is too short."),
    phonenumbers.NumberParseException.TOO_LONG: ("too_long", "The number is too long."),
}


@dataclass(frozen=True, slots=True)
class PhonePolicy:
    """The country, by its ISO 3166 code, of spellings that name none."""

    region: str = REGION_DEFAULT


def patterns_of_7() -> re.Pattern[str]:
    """Return what matches the ten national digits of every valid number under +7, and nothing else."""
    found = []
    for region in REGIONS_OF_7:
        told = PhoneMetadata.metadata_for_region(region)
        for kind in KINDS:
            described = getattr(told, kind)
            if described is not None and described.national_number_pattern not in {None, "NA"}:
                found.append(described.national_number_pattern)
    return re.compile(f"(?=[0-9]{{{NATIONAL}}}$)(?:{'|'.join(found)})")


VALID_7 = patterns_of_7().fullmatch


def normalised(spelling: str, region: str = REGION_DEFAULT) -> int:
    """Return the digits of the E.164 form; raises InvalidPhone. A spelling without a country code is of `region`."""
    phone = quickly(spelling, region)
    return phone if phone is not None else thoroughly(spelling, region)


def normalised_field(field: str, spelling: str, region: str) -> int:
    """Return the digits of what was sent under a name; raises InvalidPhone that names it."""
    try:
        return normalised(spelling, region)
    except InvalidPhone as refusal:
        raise InvalidPhone(str(refusal), errors={field: [str(refusal)]}, **refusal.facts) from None


def quickly(spelling: str, region: str = REGION_DEFAULT) -> int | None:
    """Return the digits of a +7 number in a usual spelling; None says to look more closely."""
    digits = spelling.translate(SIGNS)
    length = len(digits)
    if length == 12 and digits.startswith("+7"):  # noqa: PLR2004  # +7 and ten digits
        national = digits[2:]
    elif region not in REGIONS_OF_7:
        return None
    elif length == 11 and digits[0] in "78":  # noqa: PLR2004  # a code or a trunk prefix, and ten digits
        national = digits[1:]
    elif length == NATIONAL:
        national = digits
    else:
        return None
    if not (digits.isascii() and VALID_7(national)):
        return None
    return int("7" + national)


def thoroughly(spelling: str, region: str) -> int:
    """Return the digits by the library; raises InvalidPhone that says why. An extension is left out."""
    if len(spelling) > SPELLING_MAX:
        raise InvalidPhone("The number is too long.", reason="too_long")
    try:
        number = phonenumbers.parse(unspreadsheet(spelling.strip()), region)
    except phonenumbers.NumberParseException as error:
        reason, detail = REASONS[error.error_type]
        raise InvalidPhone(detail, reason=reason) from None
    if not phonenumbers.is_valid_number(number):
        raise InvalidPhone("No such number can exist.", reason="impossible")
    digits = phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)[1:]
    if len(digits) > DIGITS_MAX:
        raise InvalidPhone("The number is too long.", reason="too_long")
    return int(digits)


def unspreadsheet(text: str) -> str:
    """Undo what spreadsheets make of numbers: 79161234567.0, 7.9161234567E+10; raises InvalidPhone for lost digits."""
    if whole := WHOLE_FLOAT.fullmatch(text):
        return whole.group(1)
    if scientific := SCIENTIFIC.fullmatch(text):
        if len(scientific.group(1)) < int(scientific.group(2)):
            raise InvalidPhone("A spreadsheet rounded this number; its last digits are lost.", reason="rounded")
        return str(int(Decimal(text.replace(",", "."))))
    return text


def written(phone: int) -> str:
    """Return the E.164 form, as it stands on the wire."""
    return f"+{phone}"


def prefix(text: str) -> str:
    """Return the digits that numbers begin with, of a filter such as `+7 (916)`; raises InvalidPhone."""
    digits = text.translate(SIGNS).removeprefix("+")
    if not (digits.isascii() and digits.isdecimal()) or len(digits) > DIGITS_MAX or digits.startswith("0"):
        told = "Give the first digits of the E.164 form, such as +7916."
        raise InvalidPhone(told, errors={"phone": [told]}, reason="not_a_prefix")
    return digits


def spans(digits: str) -> Sequence[tuple[int, int]]:
    """Return the ranges `[low, high)` of whole numbers that begin with these digits, ascending."""
    start = int(digits)
    return [(start * 10**more, (start + 1) * 10**more) for more in range(DIGITS_MAX - len(digits) + 1)]
