"""The validators against every value that the standards and the banks publish."""

import pytest

from opora.core.profiles.rules import checks


@pytest.mark.parametrize(
    "number",
    [
        *("7707083893", "7736050003", "7702070139", "7830002293", "1234567894"),
        *("500100732259", "123456789047", "526317984689"),
    ],
)
def test_published_inn_pass(number):
    assert checks.inn(number)


@pytest.mark.parametrize(
    "number", ["0000000000", "000000000000", "7707083894", "500100732258", "500100732269", "77070838931", "77070838９3"]
)
def test_wrong_inn_are_refused(number):
    assert not checks.inn(number)


@pytest.mark.parametrize("number", ["112-233-445 95", "11223344595", "087-654-303 00", "001-001-998 77"])
def test_published_snils_pass(number):
    assert checks.snils(number)


@pytest.mark.parametrize("number", ["112-233-445 96", "1122334459", "087-654-303 01", ""])
def test_wrong_snils_are_refused(number):
    assert not checks.snils(number)


@pytest.mark.parametrize(
    "number", ["1027700132195", "1037739010891", "1027700220624", "1022200525819", "1027700070518"]
)
def test_published_ogrn_pass(number):
    assert checks.ogrn(number)
    assert not checks.ogrn(number[:12] + str((int(number[12]) + 1) % 10))


def test_ogrnip_takes_the_last_digit_of_the_remainder():
    assert checks.ogrnip("304500116000157")
    assert not checks.ogrnip("304500116000158")
    big = next(n for n in range(30450011600000, 30450011600050) if n % 13 >= 10)
    assert checks.ogrnip(f"{big}{big % 13 % 10}")


@pytest.mark.parametrize(
    ("account", "bank"),
    [
        ("40602810700000000025", "049805746"),
        ("30114В84600000000501", "044541312"),
        ("30114B84600000000501", "044541312"),
        ("40702810900000000025", "044514512"),
    ],
)
def test_published_accounts_pass(account, bank):
    assert checks.account(account, bank)
    assert not checks.account(account[:8] + str((int(account[8]) + 1) % 10) + account[9:], bank)


@pytest.mark.parametrize(
    ("account", "bank"), [("30101810800000000746", "049805000"), ("40102810100000010001", "040305000")]
)
def test_published_settlement_centre_accounts_pass(account, bank):
    assert checks.settlement_account(account, bank)


def test_the_public_pair_of_sberbank_passes():
    assert checks.correspondent_account("30101810400000000225", "044525225")
    assert not checks.correspondent_account("30101810400000000225", "044525226")
    assert not checks.account("40817810x00000000025", "044525225")


@pytest.mark.parametrize(
    "number",
    [
        *("4242424242424242", "4111111111111111", "5555555555554444", "2223003122003222", "378282246310005"),
        *("6200000000000005", "3530111333300000", "2200000000000053", "2201382000000013", "79927398713"),
    ],
)
def test_public_test_cards_pass(number):
    assert checks.luhn(number)
    assert not checks.luhn(number[:-1] + str((int(number[-1]) + 1) % 10))
    assert not checks.luhn(number + " ")


@pytest.mark.parametrize(
    "number",
    [
        *("GB82WEST12345698765432", "DE89370400440532013000", "FR1420041010050500013M02606", "NL91ABNA0417164300"),
        *("NO9386011117947", "MT84MALT011000012345MTLCAST001S", "KZ86125KZT5004100100"),
        *("BY13NBRB3600900000002Z00AB00", "RU0304452522540817810538091310419"),
    ],
)
def test_published_iban_pass(number):
    assert checks.iban(number)
    assert not checks.iban(f"{number[:2]}{(int(number[2:4]) + 1) % 100:02d}{number[4:]}")


def test_an_iban_of_strange_characters_is_refused():
    assert not checks.iban("GB82-WEST-1234")


def test_the_russian_iban_holds_a_right_account_of_its_bank():
    number = "RU0304452522540817810538091310419"
    assert checks.account(number[13:], number[4:13])


def test_routing_numbers():
    assert checks.routing_number("021000021")
    assert not checks.routing_number("021000022")


@pytest.mark.parametrize(
    ("number", "never_issued"),
    [
        *[("666-12-3456", True), ("000-12-3456", True), ("900-12-3456", False), ("666-00-3456", False)],
        *[("666-12-0000", False), ("123-45-6789", False)],
    ],
)
def test_social_security_numbers_that_were_never_issued(number, never_issued):
    assert checks.never_issued_ssn(number) is never_issued


def test_british_numbers():
    assert checks.never_issued_nino("QQ123456A")
    assert not checks.never_issued_nino("AB123456A")
    assert checks.taxpayer_reference("1955839661")
    assert not checks.taxpayer_reference("2955839661")


@pytest.mark.parametrize(
    ("number", "right"),
    [
        *[("36574261809", True), ("36574261890", False), ("36554266806", False), ("06574261809", False)],
        *[("12345678905", False), ("1234567890", False)],
    ],
)
def test_german_tax_numbers(number, right):
    assert checks.german_tax_number(number) is right


@pytest.mark.parametrize(
    ("number", "right"),
    [("990230300014", False), ("990101000019", False), ("99010130001", False), ("990101300018", False)],
)
def test_wrong_kazakh_numbers_are_refused(number, right):
    assert checks.kazakh_iin(number) is right
