"""Both ways for letters keep their contract, and SMTP keeps its secrets."""

import os
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from opora.adapters.mail.folder import FolderMailer
from opora.adapters.mail.smtp import SmtpMailer
from opora.adapters.mail.texts import FolderTexter
from opora.adapters.system.clock import SystemClock
from opora.core.notifications.errors import Deferred
from opora.core.notifications.model.letters import TextMessage
from opora.testing.mailers import MailerContract, MailServerContract, a_letter
from servers.mail import Certificates, MailServer

pytestmark = pytest.mark.anyio

SENDER = ("opora@opora.example", "Опора")


class TestFolder(MailerContract):
    """Letters as files."""

    @pytest.fixture(autouse=True)
    def _folder(self, tmp_path: Path) -> None:
        self.folder = tmp_path / "mail"
        self.mailer = FolderMailer(self.folder, *SENDER, SystemClock())

    def taken(self) -> list[bytes]:
        return [one.read_bytes() for one in sorted(self.folder.glob("*.eml"))] if self.folder.exists() else []

    async def test_a_copy_takes_the_place_of_the_letter_and_nothing_lies_beside(self) -> None:
        for _ in range(2):
            await self.mailer.send(a_letter())
        assert [one.name for one in self.folder.iterdir()] == ["018f0000-0000-7000-8000-000000000000@opora.example.eml"]
        assert (next(self.folder.iterdir()).stat().st_mode & 0o777) == 0o600

    async def test_a_folder_that_cannot_be_written_to_is_tried_again_later(self) -> None:
        self.folder.write_text("a file in its place")
        with pytest.raises(Deferred):
            await self.mailer.send(a_letter())

    async def test_a_message_id_names_no_other_folder(self) -> None:
        await self.mailer.send(a_letter(message_id="<../../../etc/passwd@x>"))
        assert [one.parent for one in self.folder.rglob("*.eml")] == [self.folder]


class TestSmtp(MailServerContract):
    """Letters to a real server."""

    @pytest.fixture(autouse=True)
    async def _server(self, anyio_backend: str) -> AsyncIterator[None]:
        self.server = MailServer()
        await self.server.open()
        url = f"smtp://127.0.0.1:{self.server.port}"
        self.mailer = SmtpMailer(url, *SENDER, SystemClock(), timeout_s=5.0)
        yield
        await self.server.close()

    def taken(self) -> list[bytes]:
        return self.server.letters

    def behave(self, step: str, answer: str) -> None:
        self.server.answers[step] = answer

    async def leave(self) -> None:
        await self.server.close()


async def sent(
    server: MailServer, certificates: Certificates, url: str, *, tls: bool = False, trusting: bool = True
) -> None:
    """Send a letter to a server at an address that may hold a name and a password."""
    await server.open(certificates.server if tls else None)
    try:
        address = url.format(port=server.port)
        secure = certificates.trusted if trusting else None
        await SmtpMailer(address, *SENDER, SystemClock(), timeout_s=5.0, secure=secure).send(a_letter())
    finally:
        await server.close()


async def test_tls_is_turned_to_where_it_is_offered_and_who_we_are_is_told_after(certificates: Certificates) -> None:
    server = MailServer(tls_context=certificates.server, auth_required=True)
    server._options["authenticator"] = server.authenticate
    await sent(server, certificates, "smtp://anna%40x:secret@localhost:{port}")
    assert (len(server.letters), server.secured, server.logins) == (1, [True], [(b"anna@x", b"secret")])


async def test_smtps_speaks_tls_from_the_first_byte(certificates: Certificates) -> None:
    server = MailServer()
    await sent(server, certificates, "smtps://localhost:{port}", tls=True)
    assert len(server.letters) == 1


@pytest.mark.parametrize(("url", "tls"), [("smtps://localhost:{port}", True), ("smtp://localhost:{port}", False)])
async def test_a_server_that_cannot_show_who_it_is_gets_nothing(
    certificates: Certificates, url: str, *, tls: bool
) -> None:
    server = MailServer() if tls else MailServer(tls_context=certificates.server)
    with pytest.raises(Deferred):
        await sent(server, certificates, url, tls=tls, trusting=False)
    assert server.letters == []


async def test_a_wrong_password_is_tried_again_once_it_is_mended(certificates: Certificates) -> None:
    server = MailServer(tls_context=certificates.server)
    server._options["authenticator"] = server.authenticate
    with pytest.raises(Deferred, match="does not let us in"):
        await sent(server, certificates, "smtp://anna:wrong@localhost:{port}")


async def test_sms_of_the_embedded_set_up_are_files(tmp_path: Path) -> None:
    texter = FolderTexter(tmp_path / "sms", SystemClock())
    for _ in range(2):
        await texter.send(TextMessage(id="018f", to="+79120000000", text="Запись подтверждена"))
    [file] = (tmp_path / "sms").iterdir()
    assert "Запись подтверждена" in file.read_text("utf-8")
    assert os.access(file, os.R_OK)
