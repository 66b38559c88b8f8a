"""`opora config`: are the settings sound, what are they, what may be set."""

from collections.abc import Iterator

from opora.bootstrap.faults import SettingsInvalid
from opora.bootstrap.fields import FIELDS, OUTSIDE, PLUGINS, Field
from opora.bootstrap.forms import redacted_url
from opora.bootstrap.settings import Settings
from opora.bootstrap.settings.about import SECTIONS
from opora.bootstrap.sources import read
from opora.cli.command import Call, Command
from opora.cli.exits import Exit

HIDDEN = "***"

INTRODUCTION = """\
# Settings

Printed by `opora config reference`; a test compares the two.

Every setting is an environment variable, or a line of `opora.toml` in the working folder (or where `OPORA_CONFIG`
points) with the name in lower case and without `OPORA_`: `http_port = 8000`. A variable wins over the file. An empty
variable is as good as none. Lists are written with commas. Settings marked **secret** have a second form with `_FILE`
at the end that names a file to read the value from.

A name that is not in this list stops the start, with the nearest name that is; `OPORA_TEST_…` is left to the
tests, `OPORA_SETUP_…` to `make`. `opora config check` names every fault at once, `opora config show` prints what is in
force, secrets put out.

With SQLite (the embedded set-up) a root secret is made at the first start and kept in `secrets.json` under the home
folder. With PostgreSQL (the server set-up) `OPORA_SECRET_KEY` has to be given, the same on every machine. The other
secrets are derived from it unless they are given: see [the decision](../decisions/0010-one-root-secret.md).
"""


def check(call: Call) -> Exit:
    """Name every fault of the settings."""
    try:
        settings = read()
    except SettingsInvalid as invalid:
        faults = [{"name": one.name, "fault": one.fault, "mend": one.mend} for one in invalid.faults]
        call.output.document({"ok": False, "faults": faults})
        for one in invalid.faults:
            call.output.line(f"✗ {one.name} {one.fault}\n    → {one.mend}")
        call.output.line(f"\n{len(faults)} to mend")
        return Exit.CONFIG
    call.output.document({"ok": True, "faults": []})
    set_up = "embedded (SQLite, one machine)" if settings.embedded else "server (PostgreSQL)"
    call.output.line(f"The settings are sound. Set-up: {set_up}")
    return Exit.OK


def show(call: Call) -> None:
    """Print every setting as it stands, secrets put out."""
    settings = read()
    shown = {field.variable: safe(field, settings) for field in FIELDS.values()}
    for name in PLUGINS:
        shown.update({f"OPORA_{name}_{key}".upper(): HIDDEN for key in getattr(settings, f"{name}_config")})
    call.output.document(shown)
    call.output.table(["SETTING", "VALUE"], shown.items())


def safe(field: Field, settings: Settings) -> object:
    """Return a setting's value as anyone may see it."""
    value = getattr(settings, field.name)
    if field.extra["hides"] == "all":
        return HIDDEN if value else ""
    return redacted_url(value) if field.extra["hides"] == "password" else value


def reference(call: Call) -> None:
    """Print the reference page of every setting, in Markdown."""
    described = [
        {
            "name": field.variable,
            "section": field.extra["section"],
            "about": field.about.description,
            "default": field.extra["default"] or field.default,
            "range": field.range,
            "secret": bool(field.extra["hides"]),
        }
        for field in FIELDS.values()
    ]
    call.output.document(described)
    call.output.line("\n".join(page()))


def page() -> Iterator[str]:
    """Yield the lines of docs/reference/settings.md."""
    yield from INTRODUCTION.splitlines()
    for section, title in SECTIONS.items():
        yield ""
        yield f"## {title}"
        yield ""
        yield "| name | default | what it is |"
        yield "| --- | --- | --- |"
        for field in FIELDS.values():
            if field.extra["section"] == section:
                yield _row(field)
    yield ""
    yield "## Read beside the settings"
    yield ""
    yield "| name | what it is |"
    yield "| --- | --- |"
    for name, about in OUTSIDE.items():
        yield f"| `{name}` | {about} |"


def _row(field: Field) -> str:
    """Return one setting's row."""
    default = field.extra["default"] or (f"`{field.written_default}`" if field.written_default else "–")
    about = [field.about.description or ""]
    if field.choices:
        about.append("One of " + ", ".join(f"`{one}`" for one in field.choices) + ".")
    elif field.kind is int:
        about.append(f"{field.about.ge} to {field.about.le}.")
    if field.extra["hides"]:
        about.append("**Secret.**")
    return f"| `{field.variable}` | {default} | {' '.join(about)} |"


COMMANDS = {
    "check": Command("Name every fault of the settings at once", check),
    "show": Command("Print the settings in force, secrets put out", show),
    "reference": Command("Print what every setting means, as Markdown", reference),
}
