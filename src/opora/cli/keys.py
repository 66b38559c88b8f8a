"""`opora keys`: API keys, made and withdrawn on the machine itself."""

import csv
import json
from argparse import ArgumentParser
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import fields
from datetime import UTC, datetime, timedelta
from typing import Any

from opora.cli.command import Call, Command
from opora.cli.exits import CommandFailed, Exit
from opora.cli.running import Application, run
from opora.cli.values import readable, span, whole
from opora.core.access.model.keys import IssuedKey, KeyFilter, KeyReach, KeyState, KeyView, NewKey
from opora.core.access.model.keytext import Environment
from opora.core.access.model.scopes import KEY_SCOPES, SCOPES, Role, scopes_of
from opora.core.access.ports.keys import KeyViews
from opora.core.access.usecases.keys import ImportKey, IssueKey, RevokeKey, RotateKey
from opora.core.kernel.errors import DomainError
from opora.core.kernel.model import SYSTEM, Page, PageRequest
from opora.core.kernel.ports import Clock

EVERYTHING = KeyReach(everything=True, owner_id=None, maker="")
RATE_MAX = 1_000_000


def create(call: Call) -> None:
    """Make a key; its text alone goes to standard output, what it may do to standard error."""
    given = call.arguments

    async def work(app: Application) -> IssuedKey:
        issue, clock = await app.get(IssueKey), await app.get(Clock)
        expires_at = clock.now() + given.expires_in if given.expires_in else None
        return await issue(
            SYSTEM,
            NewKey(
                label=given.label,
                scopes=frozenset(given.scope or KEY_SCOPES),
                environment=Environment(given.environment),
                rate_limit_per_min=given.rate_limit_per_min,
                expires_at=expires_at,
                allowed_ips=tuple(given.allowed_ip or ()),
            ),
        )

    _show_issued(call, run(work))


def rotate(call: Call) -> None:
    """Replace a key; both work until the overlap ends."""

    async def work(app: Application) -> IssuedKey:
        replace = await app.get(RotateKey)
        return await replace(SYSTEM, call.arguments.id, call.arguments.overlap)

    _show_issued(call, run(work))


def issue_for_tour() -> tuple[int, str]:
    """Make a key for an hour that may make keys and users, and whatever else a tour does; return its id and text."""

    async def work(app: Application) -> tuple[int, str]:
        issue, clock = await app.get(IssueKey), await app.get(Clock)
        roles = (Role.CLIENT, Role.STAFF, Role.OPERATOR, Role.MANAGER)
        scopes = scopes_of(roles) | {"users:write", "projects:read_all"}
        expires_at = clock.now() + timedelta(hours=1)
        wanted = NewKey(label="tour: makes keys", scopes=scopes, environment=Environment.TEST, expires_at=expires_at)
        made = await issue(SYSTEM, wanted)
        return made.id, made.key

    return run(work)


def revoke_after_tour(ids: Sequence[int]) -> None:
    """Revoke the keys of a tour."""

    async def work(app: Application) -> None:
        revoke = await app.get(RevokeKey)
        for id in ids:
            await revoke(SYSTEM, id)

    run(work)


def _show_issued(call: Call, made: IssuedKey) -> None:
    call.output.document(_plain(made))
    call.output.line(made.key)
    if not call.output.as_json:
        limit = f"{made.rate_limit_per_min} requests a minute" if made.rate_limit_per_min else "the base limit"
        until = made.expires_at.isoformat() if made.expires_at else "no end"
        call.output.note(f"Key {made.id} ({made.label}): {', '.join(made.scopes)}; {limit}; {until}.")
        call.output.note("It is shown this once. Send it as the header X-API-Key.")


def show(call: Call) -> None:
    """List keys, the newest first."""
    given = call.arguments

    async def work(app: Application) -> Page[KeyView]:
        views, clock = await app.get(KeyViews), await app.get(Clock)
        wanted = KeyFilter(state=KeyState(given.state) if given.state else None, text=given.text)
        return await views.page(EVERYTHING, wanted, PageRequest(given.limit, given.page), clock.now())

    page = run(work)
    call.output.document({"count": page.count, "results": [_plain(one) for one in page.items]})
    call.output.table(
        ["ID", "LABEL", "KEY", "STATUS", "PER MINUTE", "LAST USED", "EXPIRES", "SCOPES"],
        [
            [one.id, one.label, f"{one.prefix}…{one.last4}", one.status, one.rate_limit_per_min, one.last_used_at,
             one.expires_at, one.scopes]
            for one in page.items
        ],
    )  # fmt: skip
    if page.more:
        call.output.note(f"{page.count} in all; --page {given.page + 1} shows more")


def revoke(call: Call) -> None:
    """Refuse a key for good, everywhere within a second."""

    async def work(app: Application) -> KeyView:
        withdraw = await app.get(RevokeKey)
        return await withdraw(SYSTEM, call.arguments.id)

    view = run(work)
    call.output.document(_plain(view))
    call.output.line(f"Key {view.id} ({view.label}) is {view.status}.")


def take_over(call: Call) -> Exit:
    """Import keys of another system by their bcrypt hashes; a row at fault fails alone."""

    async def work(app: Application) -> tuple[list[int], list[dict[str, object]]]:
        keep = await app.get(ImportKey)
        taken: list[int] = []
        refused: list[dict[str, object]] = []
        for number, row in _rows(call.arguments.file):
            try:
                wanted = _wanted(row)
                digest = row.get("bcrypt_hash") or row.get("key_hash") or ""
                view = await keep(SYSTEM, wanted, digest, row.get("lookup_prefix") or "")
                taken.append(view.id)
            except (DomainError, ValueError) as fault:
                detail = getattr(fault, "errors", None) or str(fault)
                refused.append({"line": number, "code": getattr(fault, "code", "unreadable"), "detail": detail})
        return taken, refused

    taken, refused = run(work)
    call.output.document({"imported": len(taken), "key_ids": taken, "refused": refused})
    call.output.line(f"{len(taken)} imported, {len(refused)} refused")
    if refused:
        call.output.table(["LINE", "CODE", "WHY"], [[one["line"], one["code"], one["detail"]] for one in refused])
    return Exit.DATA if refused else Exit.OK


def _rows(path: str) -> Iterator[tuple[int, Mapping[str, str]]]:
    """Yield the rows of a CSV file with a head, or of JSON lines, with their line numbers."""
    with readable(path) as file:
        text = file.read()
    lines = text.splitlines()
    if text.lstrip().startswith("{"):
        for number, line in enumerate(lines, 1):
            if line.strip():
                try:
                    row = json.loads(line)
                except ValueError as fault:
                    raise CommandFailed(Exit.DATA, f"line {number} is not JSON: {fault}", "Mend the line") from None
                yield number, {key: _text(value) for key, value in row.items()}
        return
    reader = csv.DictReader(lines)
    if "label" not in (reader.fieldnames or ()):
        raise CommandFailed(Exit.DATA, "the first line names no column `label`", "opora keys import --help")
    for row in reader:
        yield reader.line_num, {key: value or "" for key, value in row.items() if key}


def _text(value: object) -> str:
    if isinstance(value, list):
        return " ".join(str(one) for one in value)
    return "" if value is None else str(value)


def _wanted(row: Mapping[str, str]) -> NewKey:
    """Build what a row asks for; ValueError where it cannot be read."""
    scopes = row.get("scopes", "").replace(",", " ").split()
    limit = row.get("rate_limit_per_min", "")
    expires_at = datetime.fromisoformat(row["expires_at"]) if row.get("expires_at") else None
    return NewKey(
        label=row.get("label", ""),
        scopes=frozenset(scopes or KEY_SCOPES),
        environment=Environment(row.get("environment") or "live"),
        rate_limit_per_min=int(limit) if limit else None,
        expires_at=expires_at and (expires_at if expires_at.tzinfo else expires_at.replace(tzinfo=UTC)),
    )


def _plain(view: KeyView) -> dict[str, Any]:
    return {one.name: getattr(view, one.name) for one in fields(view)}


def _create_arguments(parser: ArgumentParser) -> None:
    parser.add_argument("--label", required=True, help="what people know the key by")
    parser.add_argument(
        "--scope", action="append", choices=sorted(SCOPES), metavar="SCOPE",
        help=f"what it may do; may be repeated; without it profiles and exports. One of {', '.join(sorted(SCOPES))}",
    )  # fmt: skip
    parser.add_argument(
        "--rate-limit-per-min", type=whole(1, RATE_MAX), metavar="N", help="requests a minute of its own"
    )
    parser.add_argument("--expires-in", type=span, metavar="SPAN", help="how long it works: 90s, 15m, 12h, 30d, 2w")
    parser.add_argument("--environment", choices=["live", "test"], default="live", help="`live` (default) or `test`")
    parser.add_argument(
        "--allowed-ip", action="append", metavar="NETWORK", help="a network it works from; may be repeated"
    )


def _list_arguments(parser: ArgumentParser) -> None:
    parser.add_argument("--state", choices=["active", "disabled", "revoked"], help="only keys in this state")
    parser.add_argument("--text", help="only keys whose label holds this")
    parser.add_argument("--limit", type=whole(1, 200), default=50, metavar="N", help="keys on a page, 50")
    parser.add_argument("--page", type=whole(1, 1_000_000), default=1, metavar="N", help="which page, 1")


def _id_argument(parser: ArgumentParser) -> None:
    parser.add_argument("id", type=whole(1, 2**63 - 1), metavar="ID", help="the key's number in `opora keys list`")


def _rotate_arguments(parser: ArgumentParser) -> None:
    _id_argument(parser)
    parser.add_argument(
        "--overlap", type=span, metavar="SPAN", help="how long the old key still works; OPORA_KEY_OVERLAP_S, else a day"
    )


def _import_arguments(parser: ArgumentParser) -> None:
    parser.add_argument(
        "file", metavar="FILE",
        help="CSV with a head, or JSON lines; `-` is standard input. Columns: label, key_hash (bcrypt), lookup_prefix "
        "(the key's first 12 characters), and where wanted scopes, rate_limit_per_min, expires_at, environment",
    )  # fmt: skip


COMMANDS = {
    "create": Command(
        "Make a key and print it, this once", create, _create_arguments,
        'KEY=$(opora keys create --label "QA" --rate-limit-per-min 600)',
    ),
    "list": Command("List keys, never their secrets", show, _list_arguments, "opora keys list --state active"),
    "revoke": Command("Refuse a key for good, everywhere within a second", revoke, _id_argument, "opora keys revoke 7"),
    "rotate": Command("Replace a key by a new one and print that", rotate, _rotate_arguments,
                      "opora keys rotate 7 --overlap 24h"),
    "import": Command("Take over keys of another system by their bcrypt hashes", take_over, _import_arguments,
                      "opora keys import keys.csv"),
}  # fmt: skip
