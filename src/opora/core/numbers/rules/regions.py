"""Time zones of Russia's regions, told by the words that the regulator's registry names them with."""

import re

MOSCOW, YEKATERINBURG = ("Europe/Moscow",), ("Asia/Yekaterinburg",)
KRASNOYARSK, SREDNEKOLYMSK = ("Asia/Krasnoyarsk",), "Asia/Srednekolymsk"
BY_STEM: dict[str, tuple[str, ...]] = {
    **dict.fromkeys(
        (
            "москв",
            "московск",
            "санкт-петербург",
            "ленинград",
            "адыге",
            "белгород",
            "брянск",
            "владимир",
            "вологод",
            "воронеж",
            "дагестан",
            "донецк",
            "запорож",
            "иванов",
            "ингуш",
            "кабардин",
            "калмык",
            "калуж",
            "карача",
            "карел",
            "коми",
            "костром",
            "краснодар",
            "крым",
            "курск",
            "липецк",
            "луганск",
            "марий",
            "мордов",
            "мурман",
            "ненецк",
            "нижегород",
            "новгород",
            "орлов",
            "осети",
            "пенз",
            "псков",
            "ростов",
            "рязан",
            "севастопол",
            "смолен",
            "ставропол",
            "тамбов",
            "татарстан",
            "твер",
            "тульск",
            "херсон",
            "чечен",
            "чуваш",
            "ярослав",
            "архангельск",
        ),
        MOSCOW,
    ),
    "калининград": ("Europe/Kaliningrad",),
    "киров": ("Europe/Kirov",),
    "волгоград": ("Europe/Volgograd",),
    "самар": ("Europe/Samara",),
    "удмурт": ("Europe/Samara",),
    "астрахан": ("Europe/Astrakhan",),
    "саратов": ("Europe/Saratov",),
    "ульянов": ("Europe/Ulyanovsk",),
    **dict.fromkeys(
        ("свердлов", "челябин", "башкорт", "перм", "оренбург", "курган", "тюмен", "ханты", "ямало"), YEKATERINBURG
    ),
    "омск": ("Asia/Omsk",),
    "новосибир": ("Asia/Novosibirsk",),
    "алта": ("Asia/Barnaul",),
    "томск": ("Asia/Tomsk",),
    "кемеров": ("Asia/Novokuznetsk",),
    "кузбасс": ("Asia/Novokuznetsk",),
    **dict.fromkeys(("краснояр", "хакас", "тыва", "таймыр", "эвенк"), KRASNOYARSK),
    "иркут": ("Asia/Irkutsk",),
    "бурят": ("Asia/Irkutsk",),
    "забайкал": ("Asia/Chita",),
    "читин": ("Asia/Chita",),
    "амурск": ("Asia/Yakutsk",),
    "якути": ("Asia/Yakutsk", "Asia/Vladivostok", SREDNEKOLYMSK),
    "примор": ("Asia/Vladivostok",),
    "хабаров": ("Asia/Vladivostok",),
    "еврейск": ("Asia/Vladivostok",),
    "магадан": ("Asia/Magadan",),
    "сахалин": ("Asia/Sakhalin", SREDNEKOLYMSK),
    "камчат": ("Asia/Kamchatka",),
    "коряк": ("Asia/Kamchatka",),
    "чукот": ("Asia/Anadyr",),
}
"""The zones of the regions whose name has a word that begins so; Sakha and Sakhalin lie in several."""
WORDS = re.compile(r"[^\s|,;/()«»\"]+")


def zones_of_region(text: str) -> tuple[str, ...]:
    """Return every zone of the regions that a text names, sorted; none where it names none that is known.

    Of `town|region` the region counts.
    """
    found: set[str] = set()
    for word in WORDS.findall(text.rpartition("|")[2].casefold().replace("ё", "е")):
        for stem, zones in BY_STEM.items():
            if word.startswith(stem):
                found.update(zones)
    return tuple(sorted(found))
