"""Looks inside uploads, each in a child process of its own."""

from opora.adapters.sandbox.children import Sandbox
from opora.adapters.sandbox.hearing import ChildFailed, ChildSpent
from opora.core.documents.errors import DamagedFile, FileBomb, JudgeUnavailable
from opora.core.documents.model.documents import MediaType
from opora.core.documents.model.files import Fault, FileFacts, Received
from opora.core.documents.ports.files import FileJudge
from opora.core.documents.rules.uploads import REFUSALS

EXAMINE = "opora.adapters.sandbox.papers.examining:examine"
RETRY_AFTER_S = 5
PRELOADED = ("opora.adapters.sandbox.papers.examining",)


class SandboxedJudge(FileJudge):
    """Asks a child what a file is; one that the file kills tells enough about it, one that we starve tells nothing."""

    def __init__(self, sandbox: Sandbox) -> None:
        self._sandbox = sandbox

    async def examine(self, received: Received) -> FileFacts:
        """See the port."""
        try:
            found = await self._sandbox.run(EXAMINE, received.place)
        except ChildFailed as failed:
            if failed.is_ours:
                raise JudgeUnavailable(retry_after_s=RETRY_AFTER_S) from failed
            raise (FileBomb if isinstance(failed, ChildSpent) else DamagedFile)() from failed
        if "fault" in found:
            raise REFUSALS[Fault(found["fault"])](found["detail"])
        return FileFacts(media_type=MediaType(found["media_type"]), pages=found["pages"], text=found["text"])
