"""Reads the settings from variables, an optional opora.toml and files of secrets; finds every fault at once."""

import os
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import msgspec

from opora.bootstrap import secrets
from opora.bootstrap.faults import Fault, SettingsInvalid
from opora.bootstrap.fields import FIELDS, FILE_SUFFIX, INTERNAL, OUTSIDE, PLUGINS, PREFIX, Field, nearest
from opora.bootstrap.forms import FORMS
from opora.bootstrap.settings import Settings

IGNORED_PREFIXES = ("OPORA_TEST_", "OPORA_SETUP_")  # the tests' own, and those of `make`
CONFIG_NAME = "opora.toml"
SECRET_FILE_BYTES_MAX = 65_536
WORDS = {"true": True, "yes": True, "on": True, "1": True, "false": False, "no": False, "off": False, "0": False}
"""How true and false are written in a variable."""


@dataclass(frozen=True, slots=True)
class _Given:
    """One value as it was found: where, and whether it is the path of a file that holds the value."""

    where: str
    value: Any
    is_path: bool = False


@dataclass(slots=True)
class _Reading:
    """What one pass over the sources found."""

    values: dict[str, Any] = field(default_factory=dict)
    plugins: dict[str, dict[str, str]] = field(default_factory=lambda: {name: {} for name in PLUGINS})
    faults: list[Fault] = field(default_factory=list)

    def refuse(self, name: str, fault: str, mend: str) -> None:
        """Note a fault and go on."""
        self.faults.append(Fault(name, fault, mend))


def read(env: Mapping[str, str] | None = None, folder: Path | None = None) -> Settings:
    """Return the settings with every default worked out; raise SettingsInvalid with all that is wrong.

    Writes nothing: secrets that an earlier start kept under the home folder are read, missing ones stay empty in the
    embedded set-up and are a fault in the server set-up.
    """
    env = os.environ if env is None else env
    reading = _Reading()
    given = _from_toml(env, folder or Path(), reading)
    given.update(_from_variables(env, reading))
    for name, one in given.items():
        _take(name, one, reading)
    reading.values.update({f"{name}_config": config for name, config in reading.plugins.items()})
    settings = _with_defaults(Settings(**reading.values))
    kept = secrets.kept(settings.home)
    if isinstance(kept, Fault):
        reading.faults.append(kept)
    else:
        settings = secrets.with_kept(settings, kept)
    reading.faults.extend(_contradictions(settings))
    reading.faults.extend(secrets.missing(settings, {fault.name for fault in reading.faults}))
    if reading.faults:
        raise SettingsInvalid(reading.faults)
    return secrets.with_derived(settings)


def load(env: Mapping[str, str] | None = None, folder: Path | None = None) -> Settings:
    """Return the settings to start with: `read`, and in the embedded set-up make and keep the secrets it lacks."""
    settings = read(env, folder)
    return secrets.with_derived(secrets.made(settings)) if settings.embedded else settings


def _from_toml(env: Mapping[str, str], folder: Path, reading: _Reading) -> dict[str, _Given]:
    """Return the pairs of the file, if there is one; a file that was named has to be there."""
    named = env.get("OPORA_CONFIG", "")
    path = folder / (named or CONFIG_NAME)
    pairs: dict[str, Any] = {}
    try:
        if named or path.is_file():
            pairs = tomllib.loads(path.read_text("utf-8"))
    except (OSError, UnicodeDecodeError) as fault:
        reading.refuse(str(path), f"cannot be read ({fault})", "Mend OPORA_CONFIG, or the file's rights and encoding")
    except tomllib.TOMLDecodeError as fault:
        reading.refuse(str(path), f"is not TOML ({fault})", "Mend that line; text stands in quotes")
    return _resolved({name: (f"{name} in {path.name}", value) for name, value in pairs.items()}, reading)


def _from_variables(env: Mapping[str, str], reading: _Reading) -> dict[str, _Given]:
    """Return what the variables say; an empty one says nothing."""
    found = {}
    for variable, value in env.items():
        ours = (
            variable.startswith(PREFIX)
            and not variable.startswith(IGNORED_PREFIXES)
            and variable not in {*OUTSIDE, *INTERNAL}
        )
        if ours and value.strip():
            found[variable.removeprefix(PREFIX).lower()] = (variable, value.strip())
    return _resolved(found, reading)


def _resolved(pairs: Mapping[str, tuple[str, Any]], reading: _Reading) -> dict[str, _Given]:
    """Put `name_file` under `name`, so that one source replaces what another says of the same setting."""
    resolved: dict[str, _Given] = {}
    for name, (where, value) in pairs.items():
        stem = name.removesuffix(FILE_SUFFIX.lower())
        is_path = stem != name and (_plugin(stem) is not None or bool(stem in FIELDS and FIELDS[stem].extra["hides"]))
        target = stem if is_path else name
        if target in resolved:
            reading.refuse(where, f"is given beside {resolved[target].where}", "Give one of the two")
        resolved[target] = _Given(where, value, is_path)
    return resolved


def _plugin(name: str) -> tuple[str, str] | None:
    """Split core_banking_timeout_s into the adapter's setting and the name inside it."""
    for owner in PLUGINS:
        inside = name.removeprefix(f"{owner}_")
        if inside not in {name, ""} and name not in FIELDS:
            return owner, inside
    return None


def _take(name: str, given: _Given, reading: _Reading) -> None:
    """Put one given value where it belongs."""
    value = _content(given, reading) if given.is_path else given.value
    if value is None:
        return
    if name in FIELDS:
        _convert(FIELDS[name], given.where, value, reading)
    elif plugin := _plugin(name):
        reading.plugins[plugin[0]][plugin[1]] = str(value)
    else:
        close = nearest(PREFIX + name.upper())
        mend = f"Did you mean {close}?" if close else "`opora config reference` lists every name"
        reading.refuse(given.where, "is not a setting", mend)


def _content(given: _Given, reading: _Reading) -> str | None:
    """Return the text of a file that holds a secret."""
    try:
        with Path(str(given.value)).open("rb") as file:
            raw = file.read(SECRET_FILE_BYTES_MAX + 1)
        if len(raw) > SECRET_FILE_BYTES_MAX:
            raise ValueError(f"more than {SECRET_FILE_BYTES_MAX} bytes")
        text = raw.decode("utf-8").strip()
    except (OSError, ValueError) as fault:
        reading.refuse(given.where, f"names a file that cannot be read ({fault})", "Mend the path or the file's rights")
        return None
    if not text:
        reading.refuse(given.where, "names an empty file", "Write the secret into it")
    return text or None


def _convert(about: Field, where: str, value: Any, reading: _Reading) -> None:
    """Keep the value in the setting's type, or note what is wrong with it."""
    if about.kind is bool and isinstance(value, str):
        value = WORDS.get(value.lower(), value)
    split = (
        [part.strip() for part in value.split(",") if part.strip()] if about.many and isinstance(value, str) else value
    )
    try:
        converted = msgspec.convert(split, about.annotated, strict=not isinstance(value, str))
    except msgspec.ValidationError:
        shown = "holds a value that" if about.extra["hides"] else f"is {str(value)[:60]!r}, which"
        default = f"; the default is {about.written_default}" if about.written_default else ""
        reading.refuse(where, f"{shown} is not {about.range}", f"Set it to {about.range}{default}")
        return
    check = FORMS.get(about.extra["form"])
    try:
        if check is not None:
            converted = tuple(check(one) for one in converted) if about.many else check(converted)
        reading.values[about.name] = converted
    except ValueError as fault:
        reading.refuse(where, str(fault), f"It is: {(about.about.description or '').rstrip('.')}")


def _with_defaults(settings: Settings) -> Settings:
    """Return the settings with what follows from others worked out."""
    host = "127.0.0.1" if settings.http_host in {"0.0.0.0", "::", "[::]"} else settings.http_host  # noqa: S104 — compared, not bound
    base_url = settings.base_url or f"http://{f'[{host}]' if ':' in host else host}:{settings.http_port}"
    home = settings.home.rstrip("/") or "/"
    return msgspec.structs.replace(
        settings,
        home=home,
        base_url=base_url,
        problem_base_url=settings.problem_base_url or f"{base_url}/problems/",
        database_url=settings.database_url or f"sqlite:///{home}/opora.db",
        storage_url=settings.storage_url or f"file:{home}/files",
        upgrade_url=settings.upgrade_url or f"{base_url}/api/v1/plans",
    )


def _contradictions(settings: Settings) -> list[Fault]:
    """Return what is wrong between settings that are each right alone."""
    names = [pepper.partition(":")[0] for pepper in settings.key_peppers]
    found = [
        (
            0 < len(settings.admin_password) < settings.password_length_min,
            Fault(
                "OPORA_ADMIN_PASSWORD",
                f"is shorter than OPORA_PASSWORD_LENGTH_MIN ({settings.password_length_min})",
                "Choose a longer one, or leave it out: one is made and printed at the first start",
            ),
        ),
        (
            len(set(names)) != len(names),
            Fault("OPORA_KEY_PEPPERS", "gives one name to two peppers", "Give the new pepper a new name, such as p2"),
        ),
        (
            bool(settings.database_read_url)
            and not all(one.startswith("postgresql") for one in (settings.database_url, settings.database_read_url)),
            Fault(
                "OPORA_DATABASE_READ_URL", "is a replica, which only PostgreSQL has", "Set OPORA_DATABASE_URL beside it"
            ),
        ),
        *_without_server(settings),
    ]
    return [fault for wrong, fault in found if wrong]


def _without_server(settings: Settings) -> Iterator[tuple[bool, Fault]]:
    """Yield what the bus and the broker would need that has no address."""
    addresses = {"rabbitmq": ("OPORA_AMQP_URL", settings.amqp_url), "redis": ("OPORA_REDIS_URL", settings.redis_url)}
    for name, chosen in (("OPORA_BUS", settings.bus), ("OPORA_BROKER", settings.broker)):
        variable, address = addresses.get(chosen, ("", "-"))
        mend = f"Set {variable}, or leave {name} at auto"
        yield not address, Fault(name, f"is {chosen}, which has no address", mend)
