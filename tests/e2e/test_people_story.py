"""From registration over the letters to a second factor, a forgotten password and leaving: as processes."""

import email
import email.policy
import re
import time
from base64 import b32decode
from datetime import UTC, datetime
from pathlib import Path

import httpx

from e2e.conftest import Setup
from e2e.gateway import Town
from opora.core.access.rules.totp import code_at, step_of

ARRIVES_WITHIN_S = 20.0
ANNA = "anna@example.org"
PASSWORD, OTHER = "correct horse battery", "another long phrase"


def letter(setup: Setup | Town, to: str, subject: str) -> str:
    """Return the text of the letter to an address, once it has arrived."""
    folder = Path(setup.installation.home) / "mail"
    deadline_s = time.monotonic() + ARRIVES_WITHIN_S
    while time.monotonic() < deadline_s:
        for path in sorted(folder.glob("*.eml")):
            found = email.message_from_bytes(path.read_bytes(), policy=email.policy.default)
            body = found.get_body(("plain",))
            if found["To"] == to and subject in found["Subject"] and body is not None:
                return str(body.get_content())
        time.sleep(0.1)
    raise AssertionError(f"no letter about {subject!r} came for {to}: {setup.installation.logs()}")


def token_in(text: str) -> str:
    """Return the token of a letter."""
    (found,) = set(re.findall(r"\bopt_[0-9A-Za-z]{43}\b", text))
    return str(found)


def code(secret: str, away: int = 0) -> str:
    """Return the code that a device shows, of this step or of one beside it."""
    return code_at(b32decode(secret), step_of(datetime.now(UTC)) + away)


class Person:
    """Anna, as her programs call the service: which process answers must not matter."""

    def __init__(self, setup: Setup, http: httpx.Client) -> None:
        self.setup = setup
        self.http = http
        self.addresses = list(setup.addresses)
        self.secret = ""
        self.recovery: list[str] = []

    def call(self, method: str, path: str, bearer: str | None = None, /, **body: object) -> httpx.Response:
        """Call the next process."""
        self.addresses.append(self.addresses.pop(0))
        headers = {"authorization": f"Bearer {bearer}"} if bearer else {}
        return self.http.request(method, f"{self.addresses[0]}/api/v1{path}", json=body or None, headers=headers)

    def log_in(self, password: str) -> httpx.Response:
        """Give the password."""
        return self.call("POST", "/auth/login", email=ANNA, password=password)

    def finish(self, asked: httpx.Response, given: str) -> dict[str, str]:
        """Give the code that the log-in asks for."""
        assert (asked.status_code, asked.json()["code"]) == (401, "mfa_required")
        answer = self.call("POST", "/auth/login/mfa", mfa_token=asked.json()["mfa_token"], code=given)
        assert answer.status_code == 200, answer.text
        return dict(answer.json())

    def registers(self) -> str:
        """Become known and show that the address is hers; return an access token."""
        wanted = {"email": "Anna@Example.org", "password": PASSWORD, "full_name": "Анна", "locale": "ru"}
        assert self.call("POST", "/auth/register", **wanted).status_code == 202
        token = token_in(letter(self.setup, ANNA, "Подтвердите адрес"))
        access = str(self.log_in(PASSWORD).json()["access_token"])
        assert self.call("GET", "/users/me", access).json()["email_verified"] is False
        assert self.call("POST", "/auth/verify-email", token=token).status_code == 204
        assert self.call("POST", "/auth/verify-email", token=token).status_code == 422
        assert self.call("GET", "/users/me", access).json()["email_verified"] is True
        assert self.call("POST", "/auth/register", email=ANNA, password=OTHER).status_code == 202
        assert "opt_" not in letter(self.setup, ANNA, "Вы уже зарегистрированы")
        return access

    def guards_herself(self, access: str) -> dict[str, str]:
        """Set a second factor up and come in with it; return the tokens."""
        shown = self.call("POST", "/auth/mfa/totp", access).json()
        self.secret, self.recovery = shown["secret"], shown["recovery_codes"]
        confirmed = self.call("POST", "/auth/mfa/totp/confirm", access, code=code(self.secret, -1))
        assert confirmed.json()["recovery_codes"] == self.recovery
        letter(self.setup, ANNA, "Второй фактор")
        return self.finish(self.log_in(PASSWORD), code(self.secret))

    def forgets(self, *sessions: dict[str, str]) -> None:
        """Forget the password and set another; whoever was in is out."""
        assert self.call("POST", "/auth/password/forgot", email=ANNA).status_code == 202
        assert self.call("POST", "/auth/password/forgot", email="nobody@example.org").status_code == 202
        token = token_in(letter(self.setup, ANNA, "Новый пароль"))
        assert self.call("POST", "/auth/password/reset", token=token, password=OTHER).status_code == 204
        letter(self.setup, ANNA, "изменён")
        for pair in sessions:
            assert self.call("GET", "/users/me", pair["access_token"]).status_code == 401
            assert self.call("POST", "/auth/refresh", refresh_token=pair["refresh_token"]).status_code == 401

    def leaves(self) -> None:
        """Come in by a recovery code, stay, log out, and have everything erased."""
        pair = self.finish(self.log_in(OTHER), self.recovery[0])
        renewed = self.call("POST", "/auth/refresh", refresh_token=pair["refresh_token"]).json()["access_token"]
        held = self.call("GET", "/users/me/export", renewed).json()
        assert any(record.get("email") == ANNA for record in held["access"])
        assert self.call("POST", "/auth/logout", renewed).status_code == 204
        assert self.call("GET", "/users/me", renewed).status_code == 401
        last = self.finish(self.log_in(OTHER), self.recovery[1])["access_token"]
        assert self.call("DELETE", "/users/me", last).status_code == 204
        assert self.call("GET", "/users/me", last).status_code == 401
        assert self.log_in(OTHER).status_code == 401


def test_the_story_of_a_person(setup: Setup) -> None:
    with httpx.Client(timeout=30) as http:
        anna = Person(setup, http)
        access = anna.registers()
        pair = anna.guards_herself(access)
        anna.forgets(pair)
        anna.leaves()
