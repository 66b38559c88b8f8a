"""A mail server of a test's own that does as it is told, and certificates for it."""

import asyncio
import datetime
import ssl
from pathlib import Path
from typing import Any

from aiosmtpd.smtp import SMTP, AuthResult
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID


class MailServer:
    """A real SMTP server of this test alone."""

    def __init__(self, **options: Any) -> None:
        self.letters: list[bytes] = []
        self.answers: dict[str, str] = {}
        self.logins: list[tuple[bytes, bytes]] = []
        self.secured: list[bool] = []
        self.pause_s = 0.0
        """How long it takes to take a letter."""
        self._options = options
        self._server: asyncio.Server | None = None

    async def open(self, secure: ssl.SSLContext | None = None) -> None:
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(self._session, "127.0.0.1", 0, ssl=secure)

    def _session(self) -> SMTP:
        return SMTP(self, hostname="mail.test", loop=asyncio.get_running_loop(), **self._options)

    @property
    def port(self) -> int:
        assert self._server is not None
        return int(self._server.sockets[0].getsockname()[1])

    async def close(self) -> None:
        if self._server is not None:
            self._server.close()
            self._server = None

    def authenticate(self, server: Any, session: Any, envelope: Any, mechanism: str, data: Any) -> AuthResult:
        self.logins.append((data.login, data.password))
        return AuthResult(success=data.password == b"secret", handled=False)

    def _answered(self, step: str, server: SMTP) -> str | None:
        answer = self.answers.get(step)
        if answer == "":
            server.transport.abort()  # type: ignore[union-attr]
        return answer

    async def handle_MAIL(self, server: SMTP, session: Any, envelope: Any, address: str, options: Any) -> str:  # noqa: N802  # aiosmtpd's own name
        answer = self._answered("MAIL", server)
        if answer is None:
            envelope.mail_from = address
        return answer or "250 OK"

    async def handle_RCPT(self, server: SMTP, session: Any, envelope: Any, address: str, options: Any) -> str:  # noqa: N802  # aiosmtpd's own name
        answer = self._answered("RCPT", server)
        if answer is None:
            envelope.rcpt_tos.append(address)
        return answer or "250 OK"

    async def handle_DATA(self, server: SMTP, session: Any, envelope: Any) -> str:  # noqa: N802  # aiosmtpd's own name
        await asyncio.sleep(self.pause_s)
        answer = self._answered("DATA", server)
        if answer is None:
            self.letters.append(envelope.content)
            self.secured.append(session.ssl is not None)
        return answer or "250 taken"


class Certificates:
    """A server's certificate for localhost, and whom one must trust to trust it."""

    def __init__(self, folder: Path) -> None:
        key = ec.generate_private_key(ec.SECP256R1())
        name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
        now = datetime.datetime.now(datetime.UTC)
        certificate = (
            x509.CertificateBuilder()
            .subject_name(name)
            .issuer_name(name)
            .public_key(key.public_key())
            .serial_number(1)
            .not_valid_before(now - datetime.timedelta(days=1))
            .not_valid_after(now + datetime.timedelta(days=1))
            .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
            .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
            .sign(key, hashes.SHA256())
        )
        pem = serialization.Encoding.PEM
        plain = serialization.NoEncryption()
        (folder / "key.pem").write_bytes(key.private_bytes(pem, serialization.PrivateFormat.PKCS8, plain))
        (folder / "cert.pem").write_bytes(certificate.public_bytes(pem))
        self.server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.server.load_cert_chain(folder / "cert.pem", folder / "key.pem")
        self.trusted = ssl.create_default_context(cafile=str(folder / "cert.pem"))
