"""Joins what every context holds on people, for their export and their erasure."""

from collections.abc import Sequence
from dataclasses import fields, make_dataclass
from typing import Any

from dishka import Provider, Scope

from opora.bootstrap import contexts
from opora.core.access.ports.personal import PersonalRecords, PersonalRegistry


def all_of(registry: Any) -> Sequence[PersonalRecords]:
    """Return the parts of a registry in order."""
    return [getattr(registry, part.name) for part in fields(registry)]


def personal() -> Provider:
    """Return what makes the records of every context, and the registry out of them.

    The registry is a class with a field for each, so that a part that is missing is found at the start.
    """
    kinds = [kind for context in contexts.ALL for kind in context.personal]
    registry = make_dataclass(
        "JoinedRecords",
        [(kind.section, kind) for kind in kinds],
        bases=(PersonalRegistry,),
        namespace={"all": all_of},
        frozen=True,
    )
    provider = Provider(scope=Scope.APP)
    provider.provide_all(*kinds)
    provider.provide(registry, provides=PersonalRegistry)
    return provider
