"""What the frame of a page says by itself, in both languages."""

from guide.sources import ENGLISH, RUSSIAN

WORDS = {
    ENGLISH: {
        "skip": "Skip to the text",
        "menu": "Menu",
        "close": "Close",
        "contents": "Pages",
        "here": "On this page",
        "search": "Search",
        "search_hint": "Search the guide; the key / leads here",
        "none": "Nothing found",
        "found": "found",
        "copy": "Copy",
        "copied": "Copied",
        "previous": "Previous",
        "next": "Next",
        "other": "Русский",
        "other_code": RUSSIAN,
        "reference": "Calls",
    },
    RUSSIAN: {
        "skip": "К тексту",
        "menu": "Меню",
        "close": "Закрыть",
        "contents": "Страницы",
        "here": "На этой странице",
        "search": "Поиск",
        "search_hint": "Поиск по руководству; сюда ведёт клавиша /",
        "none": "Ничего не найдено",
        "found": "найдено",
        "copy": "Копировать",
        "copied": "Скопировано",
        "previous": "Назад",
        "next": "Дальше",
        "other": "English",
        "other_code": ENGLISH,
        "reference": "Вызовы",
    },
}
"""Words by language and name."""
