"""How numbers, times and languages are put into words."""

from datetime import datetime
from zoneinfo import ZoneInfo

from opora.core.kernel.model import decimal_places
from opora.core.notifications.model.letters import LOCALES

MONTHS = (
    "января", "февраля", "марта", "апреля", "мая", "июня",
    "июля", "августа", "сентября", "октября", "ноября", "декабря",
)  # fmt: skip
DAYS = {
    "ru": ("понедельник", "вторник", "среда", "четверг", "пятница", "суббота", "воскресенье"),
    "en": ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"),
}
THERE = {"ru": "на месте", "en": "at the place"}
UNSAID_ZONE = "UTC"
"""The zone of who never named one."""
TEN, HUNDRED = 10, 100
TEENS = range(11, 15)
FEW = range(2, 5)


def language(locale: str) -> str:
    """Return the language of templates that serves a locale (`ru-RU`, `en_GB`, `kk`)."""
    wanted = locale.replace("_", "-").partition("-")[0].lower()
    return wanted if wanted in LOCALES else LOCALES[0]


def plural_ru(count: int, one: str, few: str, many: str) -> str:
    """Return the Russian form that follows a number (CLDR): 1 день, 2 дня, 5 дней, 11 дней, 21 день."""
    last, pair = abs(count) % TEN, abs(count) % HUNDRED
    if last == 1 and pair not in TEENS:
        return one
    return few if last in FEW and pair not in TEENS else many


def plural_en(count: int, one: str, other: str) -> str:
    """Return the English form that follows a number."""
    return one if abs(count) == 1 else other


def moment(at: datetime, zone: str, language: str) -> str:
    """Say an instant in a zone as people do: `21 ноября 2026, 12:30`, `21 November 2026, 12:30`."""
    there = at.astimezone(ZoneInfo(zone))
    month = MONTHS[there.month - 1] if language == "ru" else there.strftime("%B")
    return f"{there.day} {month} {there.year}, {there:%H:%M}"


def occasion(at: datetime, zone: str, place: str, language: str) -> str:
    """Say when something takes place: `среда, 9 января 2030, 09:00 (Europe/Moscow)`.

    It is told by the reader's clock, with the one at the place where that shows another time. Who never named a zone
    is told the clock at the place.
    """
    here = place if zone == UNSAID_ZONE else zone
    mine, there = at.astimezone(ZoneInfo(here)), at.astimezone(ZoneInfo(place))
    if mine.utcoffset() == there.utcoffset():
        here = place
    told = f"{DAYS[language][mine.weekday()]}, {moment(at, here, language)} ({here})"
    if here == place:
        return told
    clock = f"{there:%H:%M}" if there.date() == mine.date() else moment(at, place, language)
    return f"{told}; {THERE[language]} {clock} ({place})"


def money(amount_minor: int, currency: str, language: str) -> str:
    """Say an amount: `1 250,50 RUB`, `1,250.50 RUB`."""
    places = decimal_places(currency)
    whole, part = divmod(abs(amount_minor), 10**places)
    text = f"{'-' if amount_minor < 0 else ''}{whole:,}" + (f".{part:0{places}d}" if places else "")
    if language == "ru":
        text = text.replace(",", "\u00a0").replace(".", ",")
    return f"{text}\u00a0{currency}"


def one_line(text: str) -> str:
    """Return a text without line breaks and control characters, so that it stays where it is put."""
    return " ".join("".join(letter if letter.isprintable() else " " for letter in text).split())
