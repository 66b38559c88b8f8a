"""People to export, as the JSON documents that profiles are kept as, and the contract of what draws them."""

import json
from collections.abc import Mapping
from typing import Any

PASSPORT = {
    "series": "6512",
    "number": "406872",
    "issued_on": "2012-05-28",
    "issued_by": "Отделом УФМС России по Свердловской области",
    "department_code": "660-004",
}
ADDRESS = {
    "postal_code": "620014",
    "region": "Свердловская область",
    "city": "г. Екатеринбург",
    "street": "ул. Малышева",
    "house": "36",
    "apartment": "114",
}
CARD = {"number": "2200000000000053", "expires": "09/31", "payment_system": "mir"}
FINANCE = {
    "bank_name": "Банк «Пример»",
    "bik": "046577964",
    "correspondent_account": "30101810100000000964",
    "account": "40817810600000000017",
    "card": CARD,
    "currency": "RUB",
}
PERSON: Mapping[str, Any] = {
    "id": 7,
    "locale": "ru_RU",
    "sex": "female",
    "full_name": "Щербакова Юлия Артёмовна",
    "last_name": "Щербакова",
    "first_name": "Юлия",
    "middle_name": "Артёмовна",
    "birth_date": "1987-03-09",
    "birth_place": "г. Нижний Тагил",
    "passport": PASSPORT,
    "address": ADDRESS,
    "phone": "+79120000000",
    "email": "scherbakova@example.org",
    "tax": {"inn": "500100732259", "snils": "112-233-445 95"},
    "finance": FINANCE,
}


def a_profile(**changes: Any) -> bytes:
    """Return a profile as JSON; the other fields are those of one made-up Russian."""
    return json.dumps({**PERSON, **changes}, ensure_ascii=False).encode()


def people(count: int) -> list[bytes]:
    """Return that many profiles whose names and numbers differ."""
    return [a_profile(id=number, full_name=f"Щербакова Юлия {number:04d}-я") for number in range(1, count + 1)]
