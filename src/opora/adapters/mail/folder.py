"""Letters written into a folder, one `.eml` file each: the embedded set-up, and a look at what would be sent."""

import asyncio
import os
from pathlib import Path
from secrets import token_hex

from opora.adapters.mail.messages import message_of
from opora.core.kernel.ports import Clock
from opora.core.notifications.errors import Deferred
from opora.core.notifications.model.letters import Letter
from opora.core.notifications.ports.channels import Mailer


class FolderMailer(Mailer):
    """The file is named by the Message-ID, so that a letter sent again takes the place of its copy."""

    def __init__(self, folder: Path, sender: str, sender_name: str, clock: Clock) -> None:
        self._folder = folder
        self._sender = sender
        self._sender_name = sender_name
        self._clock = clock

    async def send(self, letter: Letter) -> str:
        content = message_of(letter, self._sender, self._sender_name, self._clock.now())
        name = "".join(one for one in letter.message_id if one.isalnum() or one in "-.@").lstrip(".")
        try:
            await asyncio.to_thread(written, self._folder, f"{name}.eml", content)
        except OSError as error:
            raise Deferred("the folder of letters cannot be written to") from error
        return f"written to {name}.eml"


def written(folder: Path, name: str, content: bytes) -> None:
    """Write a file whole or not at all, for the eyes of this user alone."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    draft = folder / f".{token_hex(8)}.part"
    try:
        with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        draft.replace(folder / name)
    finally:
        draft.unlink(missing_ok=True)
