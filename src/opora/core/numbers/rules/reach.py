"""Whose projects a caller sees."""

from opora.core.kernel.model import Actor
from opora.core.numbers.model.projects import EVERY_PROJECT, ProjectReach

READ_ALL = "projects:read_all"
"""What lets a caller see every project and the numbers in it; `admin` includes it."""
NOBODY = 0


def reach(actor: Actor) -> ProjectReach:
    """Return whose projects, and numbers in them, the caller may see: a key sees what its owner sees."""
    if actor.may(READ_ALL):
        return EVERY_PROJECT
    return ProjectReach(NOBODY, actor.subject) if actor.user_id is None else ProjectReach(actor.user_id)
