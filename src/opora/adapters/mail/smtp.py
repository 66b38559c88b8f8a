"""Letters by SMTP."""

import ssl
from urllib.parse import unquote, urlsplit

from aiosmtplib import (
    SMTP,
    SMTPAuthenticationError,
    SMTPException,
    SMTPResponseException,
)

from opora.adapters.mail.messages import message_of
from opora.core.kernel.ports import Clock
from opora.core.notifications.errors import Deferred, Refused, Undelivered, Unsure
from opora.core.notifications.model.letters import Letter
from opora.core.notifications.ports.channels import Mailer

FOR_GOOD = 500
SUBMISSION, SUBMISSIONS = 587, 465


class SmtpMailer(Mailer):
    """One connection a letter: `smtps://` speaks TLS from the first byte, `smtp://` turns to TLS where it is offered.

    A server named with a password must offer TLS, unless it is on this machine.
    """

    def __init__(
        self,
        url: str,
        sender: str,
        sender_name: str,
        clock: Clock,
        *,
        timeout_s: float = 30.0,
        secure: ssl.SSLContext | None = None,
    ) -> None:
        """`secure` says whom TLS trusts; the machine's own authorities without it."""
        parts = urlsplit(url)
        self._host = parts.hostname or ""
        self._is_tls = parts.scheme == "smtps"
        self._port = parts.port or (SUBMISSIONS if self._is_tls else SUBMISSION)
        self._username = unquote(parts.username) if parts.username else None
        self._password = unquote(parts.password) if parts.password else None
        self._sender = sender
        self._sender_name = sender_name
        self._clock = clock
        self._timeout_s = timeout_s
        self._secure = secure or ssl.create_default_context()

    async def send(self, letter: Letter) -> str:
        content = message_of(letter, self._sender, self._sender_name, self._clock.now())
        client = self._client()
        try:
            await self._open(client)
            return await self._hand_over(client, letter.to, content)
        finally:
            client.close()

    def _client(self) -> SMTP:
        return SMTP(
            hostname=self._host,
            port=self._port,
            use_tls=self._is_tls,
            start_tls=False,
            tls_context=self._secure if self._is_tls else None,
            timeout=self._timeout_s,
        )

    async def _open(self, client: SMTP) -> None:
        """Connect, turn to TLS where it is offered, and sign in; nothing of the letter has left yet."""
        try:
            await client.connect()
            await client.ehlo()
            offered = client.supports_extension("starttls")
            if not self._is_tls and offered:
                await client.starttls(tls_context=self._secure)
            if self._username is not None:
                if not (self._is_tls or offered or self._host in {"localhost", "127.0.0.1", "::1"}):
                    raise Deferred("the mail server offers no TLS, and the password is not sent without")
                await client.login(self._username, self._password or "")
        except SMTPAuthenticationError as error:
            raise Deferred(f"the mail server does not let us in: {error.code}") from error
        except (SMTPException, OSError, TimeoutError) as error:
            raise Deferred(f"the mail server does not answer: {type(error).__name__}") from error

    async def _hand_over(self, client: SMTP, to: str, content: bytes) -> str:
        try:
            await client.mail(self._sender)
            await client.rcpt(to)
        except SMTPResponseException as error:
            raise judged(error) from error
        except (SMTPException, OSError, TimeoutError) as error:
            raise Deferred(f"the mail server broke off: {type(error).__name__}") from error
        try:
            answer = await client.data(content)
        except SMTPResponseException as error:
            raise judged(error) from error
        except (SMTPException, OSError, TimeoutError) as error:
            raise Unsure(f"the connection ended after the letter left: {type(error).__name__}") from error
        return f"{answer.code} {answer.message}"


def judged(error: SMTPResponseException) -> Undelivered:
    """Return what a server's refusal means: 5xx is for good, all else passes."""
    told = f"{error.code} {error.message}"
    return Refused(told) if error.code >= FOR_GOOD else Deferred(told)
