"""Adapters chosen by name, found through entry points: Opora's own and those installed beside it alike."""

from collections.abc import Mapping
from importlib.metadata import EntryPoint, entry_points

from opora.bootstrap.lean import RICH, without


class PluginInvalid(Exception):
    """The adapter that the settings name cannot be used; the message lists what is installed."""


def installed(group: str) -> list[EntryPoint]:
    """Return every adapter installed for a port, sorted by name and owner; `group` is without its `opora.`."""
    return sorted(entry_points(group=f"opora.{group}"), key=lambda one: (one.name, _owner(one)))


def pick[Port](port: type[Port], group: str, name: str, config: Mapping[str, str]) -> Port:
    """Build the adapter that the settings name: its entry point is `build(config) -> Port`.

    Raise PluginInvalid, which stops the start, when the name is missing or doubled, the factory cannot be imported or
    fails, or what it built is no `port`.
    """
    known = installed(group)
    found = [one for one in known if one.name == name]
    names = ", ".join(f"{one.name} ({_owner(one)})" for one in known) or "none"
    variable = f"OPORA_{group.upper()}"
    if not found:
        raise PluginInvalid(f"{variable}={name}: no adapter of this name in opora.{group}. Installed: {names}")
    if len(found) > 1:
        owners = " and ".join(_owner(one) for one in found)
        raise PluginInvalid(f"{variable}={name}: {owners} both offer it in opora.{group}. Uninstall one of them")
    try:
        with without(RICH):
            adapter = found[0].load()(config)
    except Exception as fault:
        raise PluginInvalid(f"{variable}={name}: {_owner(found[0])} could not build it: {_told(fault)}") from fault
    if not isinstance(adapter, port):
        kind = type(adapter).__name__
        raise PluginInvalid(f"{variable}={name}: built {kind}, which is not a {port.__name__}. Installed: {names}")
    return adapter


def _owner(point: EntryPoint) -> str:
    return point.dist.name if point.dist else point.value


def _told(fault: Exception) -> str:
    """Say what a factory lacked, or what it raised."""
    return f"it needs {fault}" if isinstance(fault, KeyError) else f"{type(fault).__name__}: {fault}"
