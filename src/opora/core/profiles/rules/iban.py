"""Accounts written as an IBAN (ISO 13616): the country, two check digits, the bank, the account."""

from bisect import bisect
from datetime import date

from opora.core.profiles.model.people import Finance
from opora.core.profiles.model.tables import LocaleTable
from opora.core.profiles.rules.cards import cards
from opora.core.profiles.rules.control import iban_check, letters_as_digits
from opora.core.profiles.rules.documents import FinanceMaker
from opora.core.profiles.rules.draws import BANK, NARROW, Block, spread
from opora.core.profiles.rules.places import Place


def iban_finances(
    table: LocaleTable, key: bytes, as_of: date, *, country: str, serial_digits: int, code_inside: bool
) -> FinanceMaker:
    """Return the maker of accounts whose last `serial_digits` digits are the person's own.

    `code_inside` tells whether the bank's code stands between the account prefix and the serial (as in Britain).
    """
    size = 10**serial_digits
    heads = {}
    for bank in table.banks:
        head = bank.account_prefix + (bank.code if code_inside else "")
        heads[bank.code] = (head, int(letters_as_digits(head)) * size)
    country_number = int(letters_as_digits(country))
    factor, offset = spread(key, "account", size)
    card = cards(table, key, as_of)

    def finance(block: Block, unique: int, place: Place) -> Finance:
        banks = place.banks
        bank = banks.items[bisect(banks.bounds, block[BANK] * banks.total >> NARROW)]
        head, number = heads[bank.code]
        serial = (unique * factor + offset) % size
        check = iban_check(number + serial, country_number)
        account = f"{country}{check}{head}{serial:0{serial_digits}d}"
        return Finance(bank.name, bank.code, None, account, card(block, unique), table.currency)

    return finance
