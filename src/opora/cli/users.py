"""`opora users`: people who may sign in."""

from argparse import ArgumentParser
from dataclasses import fields
from typing import Any

from opora.cli.command import Call, Command
from opora.cli.running import Application, run
from opora.cli.values import password, whole
from opora.core.access.model.people import NewUser, UserFilter, UserView
from opora.core.access.model.scopes import Role
from opora.core.access.ports.people import UserViews
from opora.core.access.usecases.people import CreateUser
from opora.core.kernel.model import SYSTEM, Page, PageRequest


def create(call: Call) -> None:
    """Create a user; the password comes from a prompt or from one line of standard input."""
    given = call.arguments
    wanted = NewUser(
        email=given.email,
        password=None if given.no_password else password(f"Password for {given.email}"),
        roles=frozenset(Role(role) for role in given.role or [Role.CLIENT]),
        full_name=given.full_name,
        locale=given.locale,
        email_verified=True,
    )

    async def work(app: Application) -> UserView:
        make = await app.get(CreateUser)
        return await make(SYSTEM, wanted)

    view = run(work)
    call.output.document(plain_user(view))
    call.output.line(f"User {view.id} ({view.email}) is {', '.join(view.roles)}.")


def show(call: Call) -> None:
    """List users, the newest first."""
    given = call.arguments

    async def work(app: Application) -> Page[UserView]:
        views = await app.get(UserViews)
        wanted = UserFilter(role=Role(given.role) if given.role else None, text=given.text)
        return await views.page(wanted, PageRequest(given.limit, given.page))

    page = run(work)
    call.output.document({"count": page.count, "results": [plain_user(one) for one in page.items]})
    call.output.table(
        ["ID", "EMAIL", "NAME", "ROLES", "ACTIVE", "CREATED"],
        [[one.id, one.email, one.full_name, one.roles, one.is_active, one.created_at] for one in page.items],
    )
    if page.more:
        call.output.note(f"{page.count} in all; --page {given.page + 1} shows more")


def plain_user(view: UserView) -> dict[str, Any]:
    """Return a user as JSON shows it."""
    return {one.name: getattr(view, one.name) for one in fields(view)}


def _create_arguments(parser: ArgumentParser) -> None:
    roles = [str(role) for role in Role]
    parser.add_argument("--email", required=True, help="the address to sign in with")
    parser.add_argument("--role", action="append", choices=roles, metavar="ROLE",
                        help=f"may be repeated; client. One of {', '.join(roles)}")  # fmt: skip
    parser.add_argument("--full-name", default="", help="the person's name")
    parser.add_argument("--locale", default="en", help="the language of letters, en")
    parser.add_argument("--no-password", action="store_true", help="make a user who cannot sign in yet")


def _list_arguments(parser: ArgumentParser) -> None:
    parser.add_argument("--role", choices=[str(role) for role in Role], help="only users with this role")
    parser.add_argument("--text", help="only users whose address or name holds this")
    parser.add_argument("--limit", type=whole(1, 200), default=50, metavar="N", help="users on a page, 50")
    parser.add_argument("--page", type=whole(1, 1_000_000), default=1, metavar="N", help="which page, 1")


COMMANDS = {
    "create": Command("Create a user; the password comes from a prompt or standard input", create, _create_arguments,
                      "opora users create --email ann@example.org --role operator < password.txt"),
    "list": Command("List users, the newest first", show, _list_arguments),
}  # fmt: skip
