"""What a new password must be: long enough, not endless, and not one that everybody tries first."""

import re
from dataclasses import dataclass, field
from unicodedata import normalize

from opora.core.access.errors import UserInvalid

PASSWORD_BYTES_MAX = 1024
DECORATION_MAX = 8
"""How many digits and marks beside a common password are no more than its decoration: a date has eight."""
WALK_MIN = 3
UNIT_MAX = 4
"""Three times the same few characters are no more than one of them."""
_ROWS = ("`1234567890-=", "qwertyuiop[]", "asdfghjkl;'", "zxcvbnm,./", "йцукенгшщзхъ", "фывапролджэ", "ячсмитьбю")
_COLUMNS = ("1qaz2wsx3edc4rfv5tgb6yhn7ujm8ik,9ol.0p;/", "qazwsxedcrfvtgbyhnujmikolp", "1q2w3e4r5t6y7u8i9o0p")
_ORDERS = ("abcdefghijklmnopqrstuvwxyz", "абвгдежзийклмнопрстуфхцчшщъыьэюя", "0123456789" * 3)
_WALKS = tuple(line for row in (*_ROWS, *_COLUMNS, *_ORDERS) for line in (row, row[::-1]))
_LEET = str.maketrans("013457@$!|", "oleastasil")
_BARE = re.compile(r"[\W\d_]+")
_EDGES = re.compile(r"^[\W\d_]+|[\W\d_]+$")


@dataclass(frozen=True, slots=True)
class PasswordPolicy:
    """What a new password must be; there are no rules of composition (NIST SP 800-63B-4).

    `common` holds folded passwords that are tried first; each also stands for itself with digits and marks around it.
    """

    length_min: int = 12
    common: frozenset[str] = field(default=frozenset(), repr=False)


def password_faults(password: str, policy: PasswordPolicy, email: str = "") -> list[str]:
    """Return what is wrong with a new password of the person with this address."""
    faults = long_password_faults(password)
    if faults:
        return faults
    if len(password) < policy.length_min:
        faults.append(f"at least {policy.length_min} characters")
    if is_common(password, policy.common) or is_own_address(password, email):
        faults.append("among the passwords that are tried first: choose another, several words for instance")
    return faults


def long_password_faults(password: str) -> list[str]:
    """Return what forbids even to hash a password."""
    # A lone surrogate cannot be written in UTF-8; it is three bytes too many of nonsense, not a crash.
    size = len(password.encode("utf-8", "surrogatepass"))
    return [f"at most {PASSWORD_BYTES_MAX} bytes"] if size > PASSWORD_BYTES_MAX else []


def refuse_long_password(password: str) -> None:
    """Raise UserInvalid before a password that is too long costs any hashing."""
    faults = long_password_faults(password)
    if faults:
        raise UserInvalid(errors={"password": faults})


def refuse_bad_password(password: str, policy: PasswordPolicy, email: str = "") -> None:
    """Raise UserInvalid saying everything that is wrong with a new password."""
    faults = password_faults(password, policy, email)
    if faults:
        raise UserInvalid(errors={"password": faults})


def is_common(password: str, common: frozenset[str]) -> bool:
    """Tell whether guessers would try it early: a common password, decorated, repeated or in another writing.

    A walk over the keyboard and a count count as common without standing in any list.
    """
    folded = normalize("NFKC", password).casefold()
    core = _EDGES.sub("", folded)
    undecorated = len(folded) - len(core) <= DECORATION_MAX
    if folded in common or is_walked(folded) or len(unit_of(folded)) in range(1, min(UNIT_MAX, len(folded) // 3) + 1):
        return True
    if not core:
        return False
    if undecorated and (core in common or is_walked(core) or unit_of(core) in common):
        return True
    written = core.translate(_LEET)
    if undecorated and (written in common or unit_of(written) in common):
        return True
    parts = set(_BARE.sub(" ", folded).split())
    marks = sum(len(run) for run in _BARE.findall(folded))
    return marks <= DECORATION_MAX and len(parts) == 1 and bool(parts & common)


def is_walked(text: str) -> bool:
    """Tell whether the whole text is walks over the keyboard, counts and one character again and again."""
    place = 0
    while place < len(text):
        length = _walk_at(text, place)
        if length < WALK_MIN:
            return False
        place += length
    return bool(text)


def _walk_at(text: str, start: int) -> int:
    """Return how far the longest walk from here goes."""
    longest = 0
    for line in _WALKS:
        begin = line.find(text[start : start + WALK_MIN])
        if begin < 0:
            continue
        length = 0
        while (
            start + length < len(text) and begin + length < len(line) and text[start + length] == line[begin + length]
        ):
            length += 1
        longest = max(longest, length)
    same = 1
    while start + same < len(text) and text[start + same] == text[start]:
        same += 1
    return max(longest, same)


def unit_of(text: str) -> str:
    """Return the shortest text of which this one is a repetition: itself where it repeats nothing."""
    return text[: (text + text).index(text, 1)] if text else text


def is_own_address(password: str, email: str) -> bool:
    """Tell whether a password is the person's own address, whole or up to the @, with digits and marks around it."""
    if not email:
        return False
    folded = normalize("NFC", password).casefold()
    local = email.partition("@")[0]
    return folded == email or _EDGES.sub("", folded) in {local, _EDGES.sub("", local)} - {""}
