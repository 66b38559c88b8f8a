"""Phone numbers out of any spelling."""

import phonenumbers
import pytest
from hypothesis import given
from hypothesis import strategies as st

from opora.core.numbers.errors.numbers import InvalidPhone
from opora.core.numbers.rules import phones
from opora.core.numbers.rules.cells import phones_of
from opora.core.numbers.rules.phones import normalised, prefix, quickly, spans, written

MOSCOW = 79161234567


@pytest.mark.parametrize(
    "spelling",
    [
        "+7 (916) 123-45-67",
        "8 916 123 45 67",
        "79161234567",
        "9161234567",
        "8(916)123\u201345\u201367",
        " +7.916.123.45.67 ",
        "79161234567.0",
        "7.9161234567E+10",
        "7,9161234567E10",
        "\uff0b\uff17 916 1234567",
        "8 (916) 123-45-67 доб. 12",
    ],
)
def test_every_spelling_of_a_number_is_one_number(spelling: str) -> None:
    assert normalised(spelling) == MOSCOW


def test_other_countries_are_read_by_the_library() -> None:
    assert [normalised("+49 30 901820"), normalised("020 7946 0018", "GB")] == [4930901820, 442079460018]


@pytest.mark.parametrize(
    ("spelling", "reason"),
    [
        ("", "not_a_number"),
        ("abc", "not_a_number"),
        ("+999 123456789", "unknown_country"),
        ("1" * 30, "too_long"),
        ("+7 916 123", "impossible"),
        ("+7 200 123 45 67", "impossible"),
        ("7.91612E+10", "rounded"),
        ("9" * 65, "too_long"),
        ("+49800123456789012", "too_long"),
        ("'; DROP TABLE phone_numbers", "not_a_number"),
    ],
)
def test_what_is_no_number_is_refused_with_the_reason(spelling: str, reason: str) -> None:
    with pytest.raises(InvalidPhone) as refusal:
        normalised(spelling)
    assert refusal.value.facts == {"reason": reason}


national = st.one_of(
    st.from_regex(r"9[0-9]{9}", fullmatch=True),
    st.from_regex(r"[3478][0-9]{9}", fullmatch=True),
    st.from_regex(r"93[0-9]{8}", fullmatch=True),
    st.from_regex(r"7[0-9]{9}", fullmatch=True),
)


@given(national, st.sampled_from(["+7{}", "8{}", "7{}", "{}"]))
def test_the_fast_path_and_the_library_agree(digits: str, form: str) -> None:
    spelling = form.format(digits)
    quick = quickly(spelling)
    if quick is not None:
        assert phones.thoroughly(spelling, "RU") == quick
    elif form == "+7{}":
        assert not phonenumbers.is_valid_number(phonenumbers.parse(spelling, "RU"))


@given(st.text(max_size=20))
def test_any_text_is_a_number_or_refused(text: str) -> None:
    try:
        phone = normalised(text)
    except InvalidPhone:
        return
    assert phonenumbers.is_valid_number(phonenumbers.parse(written(phone)))


def test_many_at_once_are_told_apart_by_place() -> None:
    first, second, third = phones_of("RU")(["89161234567", "nobody", "+4930901820"])
    assert (first, third) == (MOSCOW, 4930901820)
    assert isinstance(second, InvalidPhone)


@given(st.integers(10**6, 10**15 - 1), st.integers(1, 10))
def test_a_number_lies_in_the_spans_of_its_beginning_and_in_no_other(phone: int, length: int) -> None:
    digits = str(phone)[:length]
    assert sum(low <= phone < high for low, high in spans(digits)) == (1 if str(phone).startswith(digits) else 0)
    assert not any(low <= phone < high for low, high in spans(str(int(digits) + 1)))


def test_a_prefix_is_read_in_any_spelling() -> None:
    assert prefix("+7 (916)") == "7916"
    for text in ["+", "79a", "0123", "1" * 16]:
        with pytest.raises(InvalidPhone):
            prefix(text)
