"""`opora admin`: letting the administrator in again from the machine itself."""

from argparse import ArgumentParser

from opora.bootstrap.sources import load
from opora.cli.command import Call, Command
from opora.cli.running import Application, run
from opora.cli.users import plain_user
from opora.cli.values import password
from opora.core.access.errors import NoSuchUser
from opora.core.access.model.people import UserFilter, UserView
from opora.core.access.ports.people import UserViews
from opora.core.access.usecases.people import EnsureFirstAdmin, ResetAdmin
from opora.core.kernel.model import PageRequest


def reset(call: Call) -> None:
    """Give the admin a new password, unblocked, with every session ended; make the admin where there is none."""
    settings = load()
    email = call.arguments.email or settings.admin_email
    chosen = password(f"New password for {email}")

    async def work(app: Application) -> UserView | None:
        change, first = await app.get(ResetAdmin), await app.get(EnsureFirstAdmin)
        try:
            return await change(email, chosen)
        except NoSuchUser:
            if await first(email, chosen) is None:
                raise  # there are admins; this address is not one of theirs
        views = await app.get(UserViews)
        found = await views.page(UserFilter(text=email), PageRequest(limit=1))
        return found.items[0] if found.items else None

    view = run(work, settings)
    call.output.document(plain_user(view) if view else {"email": email})
    call.output.line(f"{email} can sign in with the new password; every earlier session has ended.")


def _arguments(parser: ArgumentParser) -> None:
    parser.add_argument("--email", help="whose; OPORA_ADMIN_EMAIL")


COMMANDS = {
    "reset": Command("Give the admin a new password; make the admin where there is none", reset, _arguments,
                     "opora admin reset < password.txt"),
}  # fmt: skip
