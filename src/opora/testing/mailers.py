"""The contract of ways for letters."""

from abc import abstractmethod
from email import message_from_bytes, policy
from email.message import EmailMessage

import pytest

from opora.core.notifications.errors import Deferred, Refused, Unsure
from opora.core.notifications.model.letters import Attachment, Letter
from opora.core.notifications.ports.channels import Mailer

SUBJECT = "Запись подтверждена"


def a_letter(**changes: object) -> Letter:
    """Return a letter in Russian."""
    given: dict[str, object] = {
        "message_id": "<018f0000-0000-7000-8000-000000000000@opora.example>",
        "to": "anna@example.org",
        "subject": SUBJECT,
        "text": "Здравствуйте!\n\n.Точка в начале строки\n",
        "html": "<p>Здравствуйте!</p>",
        "headers": {"Auto-Submitted": "auto-generated"},
    }
    return Letter(**given | changes)  # type: ignore[arg-type]  # the fields above are those of a letter


class MailerContract:
    """What every way for letters promises."""

    mailer: Mailer

    @abstractmethod
    def taken(self) -> list[bytes]:
        """Return the letters that came out at the other end, in order."""

    def letters(self) -> list[EmailMessage]:
        """Return them read."""
        return [message_from_bytes(one, policy=policy.default) for one in self.taken()]

    async def test_a_letter_arrives_whole(self) -> None:
        assert await self.mailer.send(a_letter())
        [letter] = self.letters()
        assert (letter["To"], letter["Subject"]) == ("anna@example.org", SUBJECT)
        assert letter["Message-ID"] == a_letter().message_id
        assert letter["Auto-Submitted"] == "auto-generated"
        assert letter["Date"]
        text, markup = letter.get_body(("plain",)), letter.get_body(("html",))
        assert text is not None and text.get_content().splitlines() == a_letter().text.splitlines()
        assert markup is not None and "<p>Здравствуйте!</p>" in markup.get_content()

    async def test_files_arrive_byte_by_byte_under_their_names_and_types(self) -> None:
        content = "BEGIN:VCALENDAR\r\nSUMMARY:Стрижка\r\n".encode() + bytes(range(256))
        parameters = {"method": "REQUEST", "charset": "utf-8"}
        file = Attachment(name="запись.ics", media_type="text/calendar", content=content, parameters=parameters)
        await self.mailer.send(a_letter(attachments=(file, file)))
        [letter] = self.letters()
        first, second = letter.iter_attachments()
        assert first.get_payload(decode=True) == second.get_payload(decode=True) == content
        assert (first.get_content_type(), first.get_filename()) == ("text/calendar", "запись.ics")
        assert first["Content-Type"].params["method"] == "REQUEST"
        assert letter.get_body(("plain",)) is not None

    async def test_no_value_adds_a_header_or_an_address(self) -> None:
        evil = "Привет\r\nBcc: all@example.org\nX-Evil: 1\r\n\r\nтекст"
        file = Attachment(name=evil, media_type="text/calendar", content=b"x", parameters={"method": evil})
        headers = {"List-Unsubscribe": f"<{evil}>"}
        await self.mailer.send(a_letter(subject=evil, headers=headers, attachments=(file,)))
        [letter] = self.letters()
        for part in letter.walk():
            assert set(part.keys()) & {"Bcc", "X-Evil"} == set()
        assert letter["To"] == "anna@example.org"

    @pytest.mark.parametrize(
        "address",
        [
            "",
            "anna",
            "anna@",
            "anna@example.org\r\nBcc: b@example.org",
            "anna@example.org, bob@example.org",
            "a b@example.org",
            "Anna <anna@example.org>",
            "анна@example.org",
        ],
    )
    async def test_what_is_no_one_address_is_refused_for_good(self, address: str) -> None:
        with pytest.raises(Refused):
            await self.mailer.send(a_letter(to=address))
        assert self.taken() == []

    async def test_a_letter_sent_again_has_the_same_name(self) -> None:
        for _ in range(2):
            await self.mailer.send(a_letter())
        assert {letter["Message-ID"] for letter in self.letters()} == {a_letter().message_id}


class MailServerContract(MailerContract):
    """What a way for letters to another machine promises besides."""

    @abstractmethod
    def behave(self, step: str, answer: str) -> None:
        """Make the server answer so at a step: `MAIL`, `RCPT` or `DATA`; an empty answer hangs up."""

    @abstractmethod
    async def leave(self) -> None:
        """Make the server be gone."""

    @pytest.mark.parametrize("step", ["MAIL", "RCPT", "DATA"])
    async def test_what_is_put_off_may_be_tried_again(self, step: str) -> None:
        self.behave(step, "451 4.7.1 later")
        with pytest.raises(Deferred, match="451"):
            await self.mailer.send(a_letter())

    @pytest.mark.parametrize("step", ["MAIL", "RCPT", "DATA"])
    async def test_what_is_refused_is_refused_for_good(self, step: str) -> None:
        self.behave(step, "550 5.1.1 nobody here")
        with pytest.raises(Refused, match="550"):
            await self.mailer.send(a_letter())

    @pytest.mark.parametrize("step", ["MAIL", "RCPT"])
    async def test_a_server_that_hangs_up_before_the_letter_left_has_not_taken_it(self, step: str) -> None:
        self.behave(step, "")
        with pytest.raises(Deferred):
            await self.mailer.send(a_letter())

    async def test_a_server_that_hangs_up_after_the_letter_left_may_have_taken_it(self) -> None:
        self.behave("DATA", "")
        with pytest.raises(Unsure):
            await self.mailer.send(a_letter())

    async def test_a_server_that_is_not_there_is_asked_again(self) -> None:
        await self.leave()
        with pytest.raises(Deferred):
            await self.mailer.send(a_letter())
