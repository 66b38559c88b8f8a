"""Every code a problem may carry, and the page that each has: what it means and what to do, in English and Russian."""

from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from pkgutil import walk_packages

import opora
from opora.api.problems import STATUS, status, title
from opora.core.kernel.errors import DomainError

KINDS = tuple(STATUS)
"""What a caller can be told; an error of no kind stays inside, between a job and its engine."""
ADVICE = {
    400: (
        "Mend the request: as it stands it cannot be read.",
        "Запрос нельзя прочитать в таком виде: исправьте его.",
    ),
    401: (
        "Send a valid access token or API key. Renew a token that has run out, or sign in again.",
        "Передайте действующий токен или ключ API. Истёкший токен обновите или войдите заново.",
    ),
    402: ("Top the balance up and repeat the call.", "Пополните баланс и повторите вызов."),
    403: (
        "Ask an administrator for the rights that the problem names.",
        "Запросите у администратора права, названные в ответе.",
    ),
    404: (
        "Check the address and the id. What you may not see is answered like what is not there.",
        "Проверьте адрес и идентификатор. Недоступное вам неотличимо от несуществующего.",
    ),
    405: ("Use one of the methods in `Allow`.", "Используйте один из методов, перечисленных в `Allow`."),
    406: ("Accept `application/json`.", "Примите ответ в виде `application/json`."),
    408: ("Send the body without long pauses, or in smaller parts.", "Передавайте тело без долгих пауз или по частям."),
    409: (
        "Read the record again: its present state forbids the call. The problem names what is allowed.",
        "Прочитайте запись заново: её состояние не допускает вызова. В ответе названо, что допустимо.",
    ),
    410: ("Use what replaced it; the problem names it.", "Используйте замену, названную в ответе."),
    412: (
        "Read the record again, apply your change to it, and send its new ETag.",
        "Прочитайте запись заново, внесите изменение и передайте новый ETag.",
    ),
    413: ("Send less: the problem names the bound.", "Уменьшите тело запроса: предел назван в ответе."),
    414: ("Shorten the address; put long content into the body.", "Сократите адрес; длинные данные передайте в теле."),
    415: (
        "Send the body in the type that the problem names.",
        "Передайте тело в том типе, который назван в ответе.",
    ),
    416: ("Ask for a range within the file.", "Запросите диапазон внутри файла."),
    422: (
        "Mend every field listed under `errors`, and send the request again.",
        "Исправьте каждое поле из списка `errors` и повторите запрос.",
    ),
    429: (
        "Wait as long as `Retry-After` says; `limit`, `remaining` and `reset_at` tell how the limit stands.",
        "Подождите столько, сколько указано в `Retry-After`; состояние лимита — в `limit`, `remaining`, `reset_at`.",
    ),
    431: ("Send fewer or shorter headers.", "Передайте меньше заголовков или сократите их."),
    500: (
        "Tell the operator the `trace_id`: the fault is in the log under it.",
        "Сообщите оператору `trace_id`: ошибка записана в журнал под ним.",
    ),
    503: (
        "Repeat the call after `Retry-After`, with the same Idempotency-Key where it makes something.",
        "Повторите вызов через `Retry-After`, с тем же Idempotency-Key, если он что-то создаёт.",
    ),
}
"""What to do about each status."""


class TwoMeanings(Exception):
    """Two errors share a code."""


def codes() -> dict[str, type[DomainError]]:
    """Return every code with its error, sorted; raises TwoMeanings for a code that two errors use.

    Adapters name errors too, so everything is imported: for the docs and their test, not for a running service.
    """
    for module in walk_packages(opora.__path__, "opora."):
        if not module.name.endswith("__main__"):
            import_module(module.name)
    return loaded()


def loaded() -> dict[str, type[DomainError]]:
    """Return the codes of what was imported already: all that a running service can answer with."""
    found: dict[str, type[DomainError]] = {}
    for kind in _descendants(DomainError):
        if "code" not in vars(kind) or not kind.__module__.startswith("opora.") or not issubclass(kind, KINDS):
            continue
        other = found.setdefault(kind.code, kind)
        if other is not kind:
            raise TwoMeanings(f"{kind.code}: {other.__qualname__} and {kind.__qualname__}")
    return dict(sorted(found.items()))


def page(kind: type[DomainError]) -> str:
    """Return the page of a code as Markdown."""
    english, russian = ADVICE[status(kind)]
    return f"# `{kind.code}`\n\n**{status(kind)}** – {title(kind)}\n\n{english}\n\n{russian}\n"


def index() -> str:
    """Return the list of all codes as Markdown."""
    lines = [f"| [`{code}`]({code}.md) | {status(kind)} | {title(kind)} |" for code, kind in codes().items()]
    head = "# Problem codes\n\nThe `type` of a problem document is the address of its page here.\n\n"
    return head + "| code | status | meaning |\n| --- | --- | --- |\n" + "\n".join(lines) + "\n"


def write(folder: Path) -> list[Path]:
    """Write the index, and the pages that are missing; pages that are there may have been written by hand."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "README.md").write_text(index(), encoding="utf-8")
    made = []
    for code, kind in codes().items():
        path = folder / f"{code}.md"
        if not path.exists():
            path.write_text(page(kind), encoding="utf-8")
            made.append(path)
    return made


def _descendants(kind: type[DomainError]) -> Iterator[type[DomainError]]:
    for child in kind.__subclasses__():
        yield child
        yield from _descendants(child)


if __name__ == "__main__":
    write(Path("docs/problems"))
