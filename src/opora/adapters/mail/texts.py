"""SMS written into a folder, one file each: the embedded set-up."""

import asyncio
import json
from pathlib import Path

from opora.adapters.mail.folder import written
from opora.core.kernel.ports import Clock
from opora.core.notifications.errors import Deferred
from opora.core.notifications.model.letters import TextMessage
from opora.core.notifications.ports.channels import Texter


class FolderTexter(Texter):
    """The file is named by the message's id, so that one sent again takes the place of its copy."""

    def __init__(self, folder: Path, clock: Clock) -> None:
        self._folder = folder
        self._clock = clock

    async def send(self, message: TextMessage) -> str:
        name = "".join(one for one in message.id if one.isalnum() or one == "-")
        told = {"to": message.to, "text": message.text, "at": self._clock.now().isoformat()}
        content = json.dumps(told, ensure_ascii=False, indent=1).encode()
        try:
            await asyncio.to_thread(written, self._folder, f"{name}.json", content)
        except OSError as error:
            raise Deferred("the folder of messages cannot be written to") from error
        return f"written to {name}.json"
