"""The drop by SFTP keeps its contract on a real SSH server, whatever breaks in between."""

import os
import signal
import sys
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from uuid import uuid4

import asyncssh
import pytest

from contracts.played_bank import PlayedBank
from opora.adapters.banking.sftp import SftpDrop, build
from opora.core.documents.errors import BadRegister, CoreBankingUnavailable
from opora.core.documents.model.packets import BadReceipt, Receipt, Verdict
from opora.core.documents.model.statuses import DocumentStatus
from opora.testing.core_banking import PAPER, CoreBankingContract, a_consignment, content_of, in_parts
from servers import sftp_bank
from servers.fleet import Fleet
from servers.processes import HOST, Guarded, free_port, listens

pytestmark = pytest.mark.anyio

REVIEWED = DocumentStatus.IN_REVIEW


class Server:
    """A bank's server: its folder, its port, its host key, and the process that it is."""

    def __init__(self, fleet: Fleet, root: Path) -> None:
        self.root = root
        self.port = free_port()
        key = asyncssh.generate_private_key("ssh-ed25519")
        self.host_key = key.export_public_key().decode().strip()
        key_file = root.with_name(f"{root.name}-key")
        key.write_private_key(str(key_file))
        home = fleet.folder / f"sftp-{uuid4().hex[:8]}"
        home.mkdir()
        words = [sys.executable, str(Path(sftp_bank.__file__)), str(root), str(self.port), str(key_file)]
        self.process = Guarded(words, home, os.getpid())
        self.process.wait_until(lambda: listens(HOST, self.port))

    def config(self, folder: str, **changes: str) -> dict[str, str]:
        """Return the settings of a drop in a folder of the server."""
        url = f"sftp://opora@{HOST}:{self.port}/{folder}"
        return {"url": url, "host_key": self.host_key, "password": sftp_bank.PASSWORD, "settle_s": "0"} | changes


@pytest.fixture(scope="module")
def server(fleet: Fleet, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A bank's SFTP server, as a process of its own."""
    root = tmp_path_factory.mktemp("bank")
    server = Server(fleet, root)
    yield server
    server.process.stop()


class TestSftp(CoreBankingContract):
    """A drop and the bank behind it."""

    @pytest.fixture(autouse=True)
    async def _bank(self, server: Server) -> AsyncIterator[None]:
        self.server = server
        self.name = f"dbo-{uuid4().hex[:8]}"
        self.played = PlayedBank(server.root / self.name)
        self.bank = build(server.config(self.name))
        yield
        await self.bank.close()

    async def bank_answers(self) -> None:
        self.played.answer()

    def files(self, folder: str) -> list[str]:
        """Return the names in a folder of the drop."""
        return sorted(path.name for path in (self.played.folder / folder).iterdir())

    async def test_shows_a_manifest_only_when_the_whole_file_is_there(self) -> None:
        told, seen = a_consignment(), list[list[str]]()

        async def watched(start: int) -> AsyncIterator[bytes]:
            async def parts() -> AsyncIterator[bytes]:
                async for part in in_parts(PAPER[start:]):
                    seen.append(self.files("in"))
                    yield part

            return parts()

        await self.bank.submit(told, watched)
        assert all(name.endswith(".part") for names in seen for name in names)
        assert self.files("in") == [f"{told.key}.bin", f"{told.key}.json"]

    async def test_an_upload_cut_off_by_the_death_of_the_server_is_taken_up_where_it_stopped(self) -> None:
        told = a_consignment(paper=PAPER * 8)

        async def cut(start: int) -> AsyncIterator[bytes]:
            async def parts() -> AsyncIterator[bytes]:
                async for part in in_parts((PAPER * 8)[start : len(PAPER) * 5]):
                    yield part
                self.server.process.send(signal.SIGKILL)
                yield b"x" * 65_536

            return parts()

        with pytest.raises(CoreBankingUnavailable):
            await self.bank.submit(told, cut)
        (part,) = (self.played.folder / "in").iterdir()
        assert part.name.endswith(".part")
        begun = part.stat()
        self.server.process.watchdog.wait(10)
        self.server.process._start()
        self.server.process.wait_until(lambda: listens(HOST, self.server.port))
        await self.bank.submit(told, content_of(PAPER * 8))
        finished = (self.played.folder / "in" / f"{told.key}.bin").stat()
        assert begun.st_size > 0
        assert finished.st_ino == begun.st_ino
        (receipt,) = await self.receipts_of(told.key)
        assert receipt.verdict is Verdict.ACCEPTED

    async def test_a_part_that_was_spoiled_is_found_by_the_bank_and_told_in_its_receipt(self) -> None:
        paper = PAPER * 8
        told = a_consignment(paper=paper)
        part = self.played.folder / "in" / f"{told.key}.bin.{told.sha256[:16]}.part"
        part.write_bytes(b"?" + paper[1 : len(paper) // 2])
        await self.bank.submit(told, content_of(paper))
        (receipt,) = await self.receipts_of(told.key)
        assert (receipt.verdict, receipt.reason) == (Verdict.REJECTED, "the file is spoiled")

    async def test_a_settled_receipt_is_moved_away_and_one_put_aside_keeps_the_reason_beside_it(
        self,
    ) -> None:
        for number in (1, 2):
            self.played.write_receipt(f"r-{number}", packet=f"5.{number}", verdict="accepted")
        assert len(await self.bank.receipts(10)) == 2
        await self.bank.settle(["r-1"])
        await self.bank.quarantine("r-2", "for nobody")
        assert self.files("out/archive") == ["r-1.json"]
        assert self.files("out/quarantine") == ["r-2.json", "r-2.json.reason"]
        assert (self.played.folder / "out/quarantine/r-2.json.reason").read_text() == "for nobody"

    async def test_the_same_receipt_in_two_files_is_one_receipt_and_both_are_moved_away(self) -> None:
        for name in ("first", "second"):
            self.played.write_receipt("r-1", name, packet="5.1", verdict="accepted")
        assert {one.id for one in await self.bank.receipts(10)} == {"r-1"}
        await self.bank.settle(["r-1"])
        assert self.files("out/archive") == ["first.json", "second.json"]

    @pytest.mark.parametrize(
        "content",
        [b"", b"{", b"[]", b"x" * 70_000, b'{"id": "../x"}', b'{"id": "a", "packet": "1.1", "verdict": "maybe"}',
         b'{"id": "a", "packet": "DROP TABLE", "verdict": "accepted"}', b"[" * 60_000, b'\xff\xfe{"id": "a"}'],
        ids=["empty", "cut off", "a list", "huge", "a path", "no verdict", "no key", "deep", "not UTF-8"],
    )  # fmt: skip
    async def test_a_receipt_that_cannot_be_read_holds_up_no_other(self, content: bytes) -> None:
        self.played.drop("out/a-bad.json", content)
        self.played.write_receipt("r-1", "b-good", packet="5.1", verdict="accepted")
        bad, good = sorted(await self.bank.receipts(10), key=lambda one: isinstance(one, Receipt))
        assert isinstance(bad, BadReceipt)
        assert good.id == "r-1"
        await self.bank.quarantine(bad.id, bad.reason)
        assert self.files("out/quarantine") == ["a-bad.json", "a-bad.json.reason"]

    async def test_what_is_still_being_written_is_left_alone(self) -> None:
        (self.played.folder / "out" / "r-1.json.part").write_bytes(b"{")
        self.played.drop("out/r-2.json", b"{")
        patient = build(self.server.config(self.name, settle_s="60"))
        assert await patient.receipts(10) == []
        await patient.close()

    async def test_a_register_without_its_ok_file_is_not_used_and_one_that_differs_from_it_is_refused(self) -> None:
        with pytest.raises(BadRegister):
            await self.bank.register()
        self.played.drop_register()
        self.played.drop("registers/zz-unfinished.ndjson", b"")
        assert [one async for one in (await self.bank.register()).holdings] == []
        self.played.drop("registers/register-000001.ndjson", b'{"document_id":1,"version":1,"status":"approved"}\n')
        with pytest.raises(BadRegister, match="vouches"):
            _ = [one async for one in (await self.bank.register()).holdings]

    @pytest.mark.parametrize(
        "line",
        [b"{", b'{"document_id":0,"version":1,"status":"x"}', b"x" * 10_000, b'{"document_id":1,"version":true}'],
    )
    async def test_a_line_of_a_register_that_cannot_be_read_is_named(self, line: bytes) -> None:
        self.played.drop_register()
        self.played.drop("registers/register-000001.ndjson", line + b"\n")
        with pytest.raises(BadRegister, match="Line 1"):
            _ = [one async for one in (await self.bank.register()).holdings]

    @pytest.mark.parametrize("ok", [b"{", b'{"as_of": "yesterday"}', b'{"as_of": "2026-11-21T05:00:00"}'])
    async def test_an_ok_file_that_cannot_be_read_vouches_for_nothing(self, ok: bytes) -> None:
        self.played.drop_register()
        self.played.drop("registers/register-000001.ndjson.ok", ok)
        with pytest.raises(BadRegister):
            await self.bank.register()

    async def test_a_server_with_another_key_is_not_the_bank(self) -> None:
        other = asyncssh.generate_private_key("ssh-ed25519").export_public_key().decode()
        stranger = build(self.server.config(self.name, host_key=other))
        with pytest.raises(CoreBankingUnavailable, match="HostKeyNotVerifiable"):
            await stranger.check()

    async def test_a_wrong_password_a_missing_folder_and_a_dead_port_are_a_bank_that_does_not_answer(self) -> None:
        dead = self.server.config(self.name) | {"url": f"sftp://opora@{HOST}:{free_port()}/x"}
        for config in (
            self.server.config(self.name, password="wrong"),
            self.server.config("no-such-folder"),
            dead,
        ):
            bank = build(config)
            with pytest.raises(CoreBankingUnavailable):
                await bank.submit(a_consignment(), content_of())
            await bank.close()

    async def test_a_server_that_says_nothing_is_given_up_in_its_time(self) -> None:
        bank = build(self.server.config(self.name, step_s="0.3"))
        await bank.check()
        self.server.process.send(signal.SIGSTOP)
        try:
            with pytest.raises(CoreBankingUnavailable):
                await bank.receipts(10)
        finally:
            self.server.process.send(signal.SIGCONT)
        await bank.close()
        assert isinstance(bank, SftpDrop)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"url": "sftp://host/x"}, "sftp://user@host"),
        ({"url": "sftp://me:secret@host/x"}, "sftp://user@host"),
        ({"host_key": ""}, "cannot be read"),
        ({"password": "a", "private_key": "b"}, "either"),
        ({"password": "a", "host_key": "ssh-ed25519 AAAA"}, "cannot be read"),
    ],
)
def test_settings_that_cannot_be_used_stop_the_start(changes: dict[str, str], said: str) -> None:
    config = {"url": "sftp://opora@host/x", "host_key": "ssh-ed25519 AAAA", "password": "a"}
    with pytest.raises(ValueError, match=said):
        build(config | changes)


def test_a_drop_without_a_pinned_key_is_never_built() -> None:
    with pytest.raises(ValueError, match="host_key is missing"):
        build({"url": "sftp://opora@host/x", "password": "a"})
