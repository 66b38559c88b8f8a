"""People made for one test each, so that a program may outlive it."""

from itertools import count

import httpx

from api.program import PASSWORD, Program
from opora.core.access.model.people import NewUser
from opora.core.access.model.scopes import Role
from opora.core.access.usecases.login import LogIn
from opora.core.access.usecases.people import CreateUser
from opora.core.kernel.model import SYSTEM, Origin

NUMBERS = count(1)


async def newcomer(program: Program, role: Role = Role.CLIENT) -> httpx.AsyncClient:
    """Return a client of a person that nobody else is."""
    email = f"newcomer-{next(NUMBERS)}@example.org"
    create = await program.container.get(CreateUser)
    await create(SYSTEM, NewUser(email=email, password=PASSWORD, roles=frozenset({role})))
    log_in = await program.container.get(LogIn)
    return program.client(token=(await log_in(email, PASSWORD, Origin("127.0.0.1"))).access_token)
