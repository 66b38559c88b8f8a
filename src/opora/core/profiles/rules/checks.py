"""Whether a number is right, digit by digit as the rule is published. Every function takes text and returns a bool.

The origins: orders of the Federal Tax Service MMV-7-6/435@ (INN) and of the Ministry of Finance 165n (OGRN, OGRNIP),
the Pension Fund's instruction on insurance numbers (SNILS), Bank of Russia order 515 of 8 September 1997 (accounts),
ISO/IEC 7812-1 (cards), ISO 13616 with ISO 7064 (IBAN, German tax number), the ABA routing number, HMRC manual
NIM39110 and its UTR check, the Social Security Administration's unassigned areas, Kazakh government rules on the IIN.
"""

import re
from datetime import date

SNILS_UNCHECKED_MAX = 1_001_998
_NO_DIGIT = 10
_CLEARING_LETTERS = "АВСЕНКМРТХ"
_LATIN_CLEARING_LETTERS = "ABCEHKMPTX"


def _digits(text: str, length: int) -> bool:
    return len(text) == length and text.isascii() and text.isdigit()


def _sum(text: str, *weights: int) -> int:
    return sum(int(digit) * weight for digit, weight in zip(text, weights, strict=False))


def inn(text: str) -> bool:
    """Check the Russian taxpayer's number of an organisation (10 digits) or a person (12)."""
    if _digits(text, 10):
        right = text[9] == str(_sum(text, 2, 4, 10, 3, 5, 9, 4, 6, 8) % 11 % 10)
    elif _digits(text, 12):
        eleventh = _sum(text, 7, 2, 4, 10, 3, 5, 9, 4, 6, 8) % 11 % 10
        twelfth = _sum(text, 3, 7, 2, 4, 10, 3, 5, 9, 4, 6, 8) % 11 % 10
        right = text[10:] == f"{eleventh}{twelfth}"
    else:
        return False
    return right and not text.startswith("00")


def snils(text: str) -> bool:
    """Check the Russian insurance number, with or without its separators; the lowest ones carry no check."""
    plain = text.replace("-", "").replace(" ", "")
    if not _digits(plain, 11):
        return False
    if int(plain[:9]) <= SNILS_UNCHECKED_MAX:
        return True
    remainder = _sum(plain, 9, 8, 7, 6, 5, 4, 3, 2, 1) % 101
    return int(plain[9:]) == remainder % 100


def ogrn(text: str) -> bool:
    """Check the Russian registration number of a legal entity (13 digits)."""
    return _digits(text, 13) and text[0] in "15" and int(text[12]) == int(text[:12]) % 11 % 10


def ogrnip(text: str) -> bool:
    """Check the Russian registration number of an entrepreneur (15 digits): the last digit of the remainder counts."""
    return _digits(text, 15) and text[0] == "3" and int(text[14]) == int(text[:14]) % 13 % 10


def bik(text: str) -> bool:
    """Check the form of a Russian bank code: country 04, then territory, unit and participant."""
    return _digits(text, 9) and text.startswith("04")


def _keyed(prefix: str, account: str) -> bool:
    letter = account[5:6].upper()
    for alphabet in (_CLEARING_LETTERS, _LATIN_CLEARING_LETTERS):
        if letter and letter in alphabet:
            account = f"{account[:5]}{alphabet.index(letter)}{account[6:]}"
    if not (_digits(account, 20) and _digits(prefix, 3)):
        return False
    return sum(int(d) * w for d, w in zip(prefix + account, (7, 1, 3) * 8, strict=False)) % 10 == 0


def account(text: str, bank: str) -> bool:
    """Check the key of an account in a credit institution, under the bank's BIK."""
    return bik(bank) and _keyed(bank[6:], text)


def settlement_account(text: str, bank: str) -> bool:
    """Check the key of an account in a settlement centre of the Bank of Russia, under the BIK that names it."""
    return bik(bank) and _keyed("0" + bank[4:6], text)


def correspondent_account(text: str, bank: str) -> bool:
    """Check a bank's correspondent account: held in a settlement centre, it ends like the BIK."""
    return text.startswith("301") and text[17:] == bank[6:] and settlement_account(text, bank)


def luhn(text: str) -> bool:
    """Check a card number, or any digits closed by a Luhn digit."""
    if not (text.isascii() and text.isdigit()):
        return False
    doubled = [int(digit) * 2 for digit in text[-2::-2]]
    return (sum(map(int, text[-1::-2])) + sum(value // 10 + value % 10 for value in doubled)) % 10 == 0


def iban(text: str) -> bool:
    """Check an IBAN by MOD 97-10; the national check inside, where there is one, is not looked at."""
    plain = text.replace(" ", "")
    if not re.fullmatch(r"[A-Z]{2}\d{2}[0-9A-Z]{11,30}", plain, re.ASCII):
        return False
    return int("".join(str(int(char, 36)) for char in plain[4:] + plain[:4])) % 97 == 1


def routing_number(text: str) -> bool:
    """Check the number of a bank in the United States."""
    return _digits(text, 9) and _sum(text, 3, 7, 1, 3, 7, 1, 3, 7, 1) % 10 == 0


def never_issued_ssn(text: str) -> bool:
    """Tell whether a social security number `AAA-GG-SSSS` is in an area that was never assigned."""
    return re.fullmatch(r"(000|666)-(?!00)\d{2}-(?!0000)\d{4}", text, re.ASCII) is not None


def never_issued_nino(text: str) -> bool:
    """Tell whether a national insurance number begins with QQ, which is never given out."""
    return re.fullmatch(r"QQ\d{6}[A-D]", text, re.ASCII) is not None


def taxpayer_reference(text: str) -> bool:
    """Check the British unique taxpayer reference: the first digit answers for the nine after it."""
    return _digits(text, 10) and text[0] == "21987654321"[_sum(text[1:], 6, 7, 8, 9, 10, 5, 4, 3, 2) % 11]


def german_tax_number(text: str) -> bool:
    """Check the German tax identification number: its repeated digit, then ISO 7064 MOD 11,10."""
    if not _digits(text, 11) or text[0] == "0":
        return False
    counts = sorted(text[:10].count(digit) for digit in set(text[:10]))
    if counts[:-1] != [1] * (len(counts) - 1) or counts[-1] not in (2, 3):
        return False
    product = 10
    for digit in text[:10]:
        total = (int(digit) + product) % 10
        product = (total or 10) * 2 % 11
    return int(text[10]) == (11 - product) % 10


def kazakh_iin(text: str) -> bool:
    """Check the individual number of Kazakhstan: a birth date, a century and sex, and the check by two weightings."""
    if not _digits(text, 12) or text[6] not in "123456":
        return False
    try:
        date((17 + (int(text[6]) + 1) // 2) * 100 + int(text[:2]), int(text[2:4]), int(text[4:6]))
    except ValueError:
        return False
    check = _sum(text, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11) % 11
    if check == _NO_DIGIT:
        check = _sum(text, 3, 4, 5, 6, 7, 8, 9, 10, 11, 1, 2) % 11
    return check == int(text[11])
