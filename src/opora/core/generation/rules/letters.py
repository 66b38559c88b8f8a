"""Who is told by a letter that a text has ended: those who did not wait for it."""

from opora.core.generation.model.texts import Status, Text
from opora.core.notifications.model.notices import Notice

OPENING_MAX = 200


def letter(text: Text) -> Notice | None:
    """Return the notice of a text's end; None where its owner waits for it, or is nobody."""
    if not text.notify or text.user_id is None:
        return None
    about = f"generation:{text.id}"
    if text.status is Status.COMPLETED:
        data = {"function": text.function, "task_id": str(text.id), "opening": opening(text.content or "")}
        return Notice(kind="generation.completed", user_id=text.user_id, data=data, about=about, dedup_key=about)
    data = {"function": text.function, "task_id": str(text.id), "detail": text.error_detail or ""}
    return Notice(kind="generation.failed", user_id=text.user_id, data=data, about=about, dedup_key=about)


def opening(content: str) -> str:
    """Return the beginning of a text on one line."""
    line = " ".join(content.split())
    return line if len(line) <= OPENING_MAX else line[: OPENING_MAX - 1].rstrip() + "…"
