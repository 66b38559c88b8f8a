"""Adapters by name: the one that is wanted, or a start that is refused with what there is."""

import sys
from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from opora.bootstrap.plugins import PluginInvalid, installed, pick


class Greeter(ABC):
    """A port of the tests."""

    @abstractmethod
    def greet(self) -> str:
        """Return a greeting."""


class Polite(Greeter):
    """An adapter of the tests."""

    def __init__(self, name: str) -> None:
        self.name = name

    def greet(self) -> str:
        return f"Good day, {self.name}"


def polite(config: Mapping[str, str]) -> Greeter:
    """Build an adapter that needs a name."""
    return Polite(config["name"])


def a_word(config: Mapping[str, str]) -> str:
    """Build something that is no adapter."""
    return "hello" + config.get("name", "")


def broken(config: Mapping[str, str]) -> Greeter:
    """Fail to build."""
    raise OSError("the line is dead" + config.get("name", ""))


def distribution(folder: Path, name: str, points: str) -> None:
    """Install a distribution that has only entry points."""
    meta = folder / f"{name}-1.dist-info"
    meta.mkdir()
    (meta / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1\n")
    (meta / "entry_points.txt").write_text(f"[opora.greeter]\n{points}\n")


@pytest.fixture(autouse=True)
def folder(tmp_path: Path) -> Iterator[Path]:
    """A folder that Python looks for distributions in."""
    sys.path.insert(0, str(tmp_path))
    sys.modules["opora_greeters"] = sys.modules[__name__]
    yield tmp_path
    sys.path.remove(str(tmp_path))
    del sys.modules["opora_greeters"]


def test_builds_the_named_adapter_from_its_config(folder: Path) -> None:
    distribution(folder, "greeters", "polite = opora_greeters:polite\nother = nowhere:at_all")
    assert pick(Greeter, "greeter", "polite", {"name": "Ann"}).greet() == "Good day, Ann"
    assert [one.name for one in installed("greeter")] == ["other", "polite"]


def test_a_missing_name_is_refused_with_what_is_installed(folder: Path) -> None:
    distribution(folder, "greeters", "polite = opora_greeters:polite")
    with pytest.raises(PluginInvalid, match=r"OPORA_GREETER=rude: no adapter .* Installed: polite \(greeters\)"):
        pick(Greeter, "greeter", "rude", {})


def test_nothing_installed_is_said() -> None:
    with pytest.raises(PluginInvalid, match="Installed: none"):
        pick(Greeter, "greeter", "polite", {})


def test_a_doubled_name_is_refused_with_both_owners(folder: Path) -> None:
    distribution(folder, "greeters", "polite = opora_greeters:polite")
    distribution(folder, "rivals", "polite = opora_greeters:polite")
    with pytest.raises(PluginInvalid, match="greeters and rivals both offer it"):
        pick(Greeter, "greeter", "polite", {"name": "Ann"})


def test_what_is_not_the_port_is_refused(folder: Path) -> None:
    distribution(folder, "greeters", "word = opora_greeters:a_word")
    with pytest.raises(PluginInvalid, match="built str, which is not a Greeter"):
        pick(Greeter, "greeter", "word", {})


@pytest.mark.parametrize(
    ("point", "said"),
    [("polite", "it needs 'name'"), ("broken", "OSError: the line is dead"), ("gone", "AttributeError")],
)
def test_a_factory_that_fails_is_named_with_its_reason(folder: Path, point: str, said: str) -> None:
    distribution(folder, "greeters", f"{point} = opora_greeters:{point}")
    with pytest.raises(PluginInvalid, match=rf"greeters could not build it: {said}"):
        pick(Greeter, "greeter", point, {})
