"""A bank's people over a running installation."""

from pathlib import Path
from typing import Any

import httpx

from e2e.conftest import Setup

PASSWORD = "a long walk by the river"


ADMINS: dict[Path, str] = {}
"""A key of each installation that may do everything."""


def admin_key(setup: Setup) -> str:
    """Return a key that may do everything; made once, for it takes a process."""
    home = setup.installation.home
    if home not in ADMINS:
        ADMINS[home] = setup.key("admin")["key"]
    return ADMINS[home]


class Person:
    """Somebody signed in, whose calls go to each process in turn."""

    def __init__(self, setup: Setup, email: str, *roles: str) -> None:
        admin = setup.client(admin_key(setup))
        made = admin.call("POST", "/api/v1/users", json={"email": email, "password": PASSWORD, "roles": list(roles)})
        assert made.status_code == 201, made.text
        self.id = made.json()["id"]
        signed = admin.call("POST", "/api/v1/auth/login", json={"email": email, "password": PASSWORD})
        self._client = admin
        self._headers = {"Authorization": f"Bearer {signed.json()['access_token']}"}
        del admin.http.headers["X-API-Key"]

    def call(self, method: str, path: str, **given: Any) -> httpx.Response:
        """Call the next process."""
        headers = {**self._headers, **given.pop("headers", {})}
        return self._client.call(method, path, headers=headers, **given)
