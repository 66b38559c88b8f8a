"""The pages of docs/reference that follow from the code: `make docs` writes them, a test compares them.

Settings and commands are printed by commands of their own; scopes, events and ports are read here.
"""

import inspect
import json
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import fields
from importlib import import_module
from pkgutil import walk_packages
from types import ModuleType

import opora.core
from docs import tables
from docs.pages import REPOSITORY
from opora.adapters.sql import blank
from opora.api import catalogue, http
from opora.api.policy import Access, Operation, Policy, words
from opora.api.routes import Routes
from opora.bootstrap.contexts import SUBSCRIPTIONS
from opora.bootstrap.http import AT_ROOT, VERSIONED
from opora.cli import commands, config
from opora.core.access.model.scopes import ROLE_SCOPES, SCOPES, Role, scopes_of
from opora.core.bus.rules.json_schema import schema_of
from opora.core.kernel.events import Event
from opora.core.kernel.model import Actor
from servers.blank import blank_script

FOLDER = REPOSITORY / "docs" / "reference"
ORDER = ("kernel", "jobs", "access", "profiles", "audit")
"""The contexts as they stand on the map, the lowest first; one that is not named comes last."""


def modules() -> Iterator[ModuleType]:
    """Give every module of the core, the lowest context first."""
    found = [import_module(one.name) for one in walk_packages(opora.core.__path__, "opora.core.")]
    return iter(sorted(found, key=lambda module: (_rank(context(module.__name__)), module.__name__)))


def _rank(name: str) -> int:
    return ORDER.index(name) if name in ORDER else len(ORDER)


def context(module: str) -> str:
    """Return the context that a module of the core belongs to."""
    return module.split(".")[2]


def first_line(thing: object) -> str:
    """Return the sentence a docstring begins with, fit for a cell of a table."""
    return (inspect.getdoc(thing) or "").split("\n", maxsplit=1)[0].replace("|", "\\|")


def own_classes(module: ModuleType) -> list[type]:
    """List the classes that a module defines, in the order of its text."""
    found = [one for _, one in inspect.getmembers(module, inspect.isclass) if one.__module__ == module.__name__]
    return sorted(found, key=lambda one: inspect.getsourcelines(one)[1])


# --- scopes


def operations() -> list[Operation]:
    """List every call with its policy, by path."""
    found = Routes(http.application(VERSIONED, AT_ROOT)).operations
    return sorted(found, key=lambda one: (one.path, one.method))


def scopes_page() -> Iterator[str]:
    """Yield the lines of docs/reference/scopes.md."""
    calls: dict[str, list[str]] = {}
    for one in operations():
        for word in words(one.policy):
            calls.setdefault(word, []).append(f"`{one.method} {one.path}`")
    yield from ("# Scopes and roles", "")
    yield "Written by `make docs` from the code; a test compares the two. A key carries scopes; a person has roles, and"
    yield "a role is a set of scopes. Nobody grants what they do not hold. A call without its scope is answered 403"
    yield "[`insufficient_scope`](../problems/insufficient_scope.md), which names what is missing."
    yield from ("", "| scope | lets its holder | calls |", "| --- | --- | --- |")
    for scope, about in SCOPES.items():
        yield f"| `{scope}` | {about} | {', '.join(calls.get(scope, [])) or '–'} |"
    yield from ("", "## Roles", "", "| role | grants |", "| --- | --- |")
    for role, granted in ROLE_SCOPES.items():
        yield f"| `{role}` | {', '.join(f'`{scope}`' for scope in sorted(granted))} |"
    yield from ("", "## Calls that need no scope", "", "| who | calls |", "| --- | --- |")
    for word, about in {
        "signed_in": "any person or key",
        "public": "anyone, under the limit of an address",
        "internal": "anyone from `OPORA_INTERNAL_NETWORKS`",
        "exempt": "anyone, without a limit",
    }.items():
        if word in calls:
            yield f"| {about} | {', '.join(calls[word])} |"


# --- who may do what


def allowed(policy: Policy, role: Role | None) -> str:
    """Tell what a role, or nobody, meets at a call: `yes`, or the status it is answered with."""
    if policy.access in {Access.PUBLIC, Access.EXEMPT}:
        return "yes"
    if policy.access is Access.INTERNAL:
        return "404"
    if role is None:
        return "401"
    actor = Actor(user_id=1, scopes=scopes_of([role]))
    return "yes" if all(actor.may(scope) for scope in policy.scopes) else "403"


def access_page() -> Iterator[str]:
    """Yield the lines of docs/reference/access.md."""
    yield from ("# Who may do what", "")
    yield "Written by `make docs` from the policies that the routes declare; a test compares the two, and the access"
    yield "matrix of the tests makes every call as every kind of caller. A record of somebody else is not there (404),"
    yield "whatever this table says; a key may do what its scopes say, as far as its owner may. Internal calls are"
    yield "there for `OPORA_INTERNAL_NETWORKS` alone."
    head = ["call", "needs", "nobody", *Role]
    yield from ("", f"| {' | '.join(head)} |", f"| {' | '.join('---' for _ in head)} |")
    for one in operations():
        needed = ", ".join(f"`{scope}`" for scope in one.policy.scopes) or ACCESS_WORDS[one.policy.access]
        cells = [allowed(one.policy, role) for role in (None, *Role)]
        yield f"| `{one.method} {one.path}` | {needed} | {' | '.join(cells)} |"


ACCESS_WORDS = {
    Access.EXEMPT: "nothing, not even a limit",
    Access.PUBLIC: "nothing",
    Access.INTERNAL: "an internal address",
    Access.SIGNED_IN: "to be known",
}


# --- events


def events() -> list[type[Event]]:
    """List every event of the core: what has a topic."""
    return [
        one for module in modules() for one in own_classes(module) if issubclass(one, Event) and "topic" in vars(one)
    ]


def events_page() -> Iterator[str]:
    """Yield the lines of docs/reference/events.md."""
    yield from ("# Events", "")
    yield "Written by `make docs` from the code; a test compares the two. An event is written into the outbox in the"
    yield "transaction of what it tells of; after the commit the relay makes one job for each subscriber, of the"
    yield "kind named under `heard by`, and the event leaves for the [event bus](../events.md). Every event has a"
    yield "`subject` (the id of the record or job) and `at`, an instant. The schemas below describe `data` of the"
    yield "message; a service gives them at `GET /api/v1/events/schemas/TOPIC`."
    yield from ("", "| topic | says | further fields | heard by |", "| --- | --- | --- | --- |")
    for one in sorted(events(), key=lambda event: event.topic):
        further = [f"`{field.name}`" for field in fields(one) if field.name not in {"subject", "at"}]
        heard = [f"`{subscription.kind}`" for subscription in SUBSCRIPTIONS.get(one.topic, ())]
        yield f"| `{one.topic}` | {first_line(one)} | {', '.join(further) or '–'} | {', '.join(heard) or '–'} |"
    yield from ("", "## Schemas")
    for one in sorted(events(), key=lambda event: event.topic):
        schema = schema_of(one, "https://api.example.org")
        told = {name: schema[name] for name in ("$id", "description", "type", "properties", "required")}
        yield from ("", f"### {one.topic}", "", "```json", json.dumps(told, indent=2), "```")


# --- ports


def ports() -> dict[str, list[type]]:
    """Give the ports of every context, in the order of its text: what its modules `ports` define."""
    found: dict[str, list[type]] = {}
    for module in modules():
        if ".ports" in module.__name__:
            found.setdefault(context(module.__name__), []).extend(
                one for one in own_classes(module) if inspect.isabstract(one) or getattr(one, "_is_protocol", False)
            )
    return found


def methods(port: type) -> Iterator[tuple[str, Callable[..., object]]]:
    """Give the methods and properties that a port declares, in the order of its text."""
    for name, thing in vars(port).items():
        declared = thing.fget if isinstance(thing, property) else thing
        if inspect.isfunction(declared) and (not name.startswith("_") or name == "__call__"):
            yield name, declared


def bundle(port: type) -> bool:
    """Tell whether a port is what a transaction shows: named properties and nothing else."""
    return port.__name__.endswith("Tx")


def ports_page() -> Iterator[str]:
    """Yield the lines of docs/reference/ports.md."""
    yield from ("# Ports", "")
    yield "Written by `make docs` from the code; a test compares the two. A port is what the core needs from outside."
    yield "Its docstrings are promises, of which this page has the first lines; `opora.testing` holds adapters to them."
    yield "How to fulfil one: [write an adapter](../howto/write-an-adapter.md)."
    for name, found in ports().items():
        yield from ("", f"## {name}")
        for port in found:
            yield from ("", f"### {port.__name__}", "", first_line(port), "")
            if bundle(port):
                yield "Shows " + ", ".join(f"`{part}`" for part, _ in methods(port)) + "."
                continue
            yield from ("| method | promise |", "| --- | --- |")
            for method, function in methods(port):
                yield f"| `{_written(method, function)}` | {first_line(function)} |"


def _written(name: str, function: Callable[..., object]) -> str:
    """Return a method as it is called: its name and those of its parameters."""
    names = [one for one in inspect.signature(function).parameters if one != "self"]
    return f"{'' if name == '__call__' else name}({', '.join(names)})"


# --- all of them


def pages() -> Mapping[str, str]:
    """Give every page of docs/reference by the name of its file."""
    makers: dict[str, Callable[[], Iterator[str]]] = {
        "settings.md": config.page,
        "commands.md": commands.page,
        "scopes.md": scopes_page,
        "access.md": access_page,
        "events.md": events_page,
        "ports.md": ports_page,
        "tables.md": tables.page,
    }
    return {name: re.sub(r"\n*\Z", "\n", "\n".join(maker())) for name, maker in makers.items()}


def write() -> None:
    """Write every page anew, the pages of problem codes that are missing, and the script of a blank store."""
    for name, text in pages().items():
        (FOLDER / name).write_text(text, encoding="utf-8")
    catalogue.write(REPOSITORY / "docs" / "problems")
    blank.script().write_text(blank_script(), encoding="utf-8")


if __name__ == "__main__":
    write()
