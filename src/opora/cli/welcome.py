"""The first start: an admin, and in the embedded set-up a key, with what to do with them."""

from collections.abc import Iterator
from dataclasses import dataclass, field

from opora.bootstrap.settings import Settings
from opora.cli.running import Application
from opora.core.access.model.keys import NewKey
from opora.core.access.model.scopes import KEY_SCOPES
from opora.core.access.usecases.keys import IssueKey
from opora.core.access.usecases.people import EnsureFirstAdmin
from opora.core.kernel.model import SYSTEM


@dataclass(frozen=True, slots=True)
class Welcome:
    """What a first start made: shown this once and kept nowhere in this form."""

    email: str
    password: str | None = field(repr=False)
    key: str | None = field(repr=False)

    def plain(self) -> dict[str, object]:
        """Return it as JSON shows it."""
        return {"admin_email": self.email, "admin_password": self.password, "key": self.key}


async def greet(app: Application, settings: Settings) -> Welcome | None:
    """Make the first admin where there is none; of several processes that start at once one does, and greets."""
    ensure = await app.get(EnsureFirstAdmin)
    password = await ensure(settings.admin_email, settings.admin_password or None)
    if password is None:
        return None
    key = None
    if settings.embedded:
        issue = await app.get(IssueKey)
        key = (await issue(SYSTEM, NewKey(label="first start", scopes=KEY_SCOPES))).key
    return Welcome(settings.admin_email, None if settings.admin_password else password, key)


def greeted(welcome: Welcome | None, url: str) -> Iterator[str]:
    """Yield the lines that a newcomer reads: how to sign in, a key and three calls to try."""
    if welcome is None:
        return
    yield "This is the first start. What follows is shown this once."
    yield ""
    yield f"  Admin      {welcome.email}"
    yield f"  Password   {welcome.password or 'the one in OPORA_ADMIN_PASSWORD'}"
    yield f"  Sign in    curl -s {url}/api/v1/auth/login -H 'Content-Type: application/json' \\"
    yield f"""               -d '{{"email":"{welcome.email}","password":"…"}}'"""
    if welcome.key is not None:
        yield from _to_try(welcome.key, url)
    yield ""
    yield f"  The guide  {url}/guide"
    yield f"  The API    {url}/docs"
    yield "  More       opora tour, opora doctor, opora --help"
    yield ""


def _to_try(key: str, url: str) -> Iterator[str]:
    """Yield a key and three calls: make people and keep them, list them, ask for a PDF."""
    head = "-H \"X-API-Key: $KEY\" -H 'Content-Type: application/json'"
    yield ""
    yield "  A key, and three calls to try:"
    yield ""
    yield f"    KEY={key}"
    yield f"""    curl -s {url}/api/v1/profiles/generate {head} -d '{{"count":3,"persist":true}}'"""
    yield f"""    curl -s "{url}/api/v1/profiles?limit=3" -H "X-API-Key: $KEY" """.rstrip()
    yield f"""    curl -s {url}/api/v1/exports {head} -d '{{"profile_id":1,"format":"pdf"}}'"""
