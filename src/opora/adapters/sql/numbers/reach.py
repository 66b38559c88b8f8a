"""Row-level access as SQL: which projects a caller sees."""

from collections.abc import Mapping

from opora.core.numbers.model.projects import ProjectReach

GRANTED = """SELECT g.project_id FROM project_managers g WHERE g.user_id = :reach_user
 UNION ALL SELECT made.id FROM projects made WHERE :reach_maker <> '' AND made.created_by = :reach_maker"""
"""The projects that a caller was granted, or made as a key that belongs to nobody."""
ALIVE = "SELECT p.id FROM projects p WHERE p.deleted_at IS NULL"


def told(reach: ProjectReach) -> Mapping[str, object]:
    """Return the parameters of GRANTED."""
    return {"reach_user": reach.user_id, "reach_maker": reach.maker}


def visible(reach: ProjectReach) -> tuple[str, Mapping[str, object]]:
    """Return a sub-select over the ids of every project within reach that is not deleted, and its parameters."""
    if reach.user_id is None:
        return ALIVE, {}
    return f"{ALIVE} AND p.id IN ({GRANTED})", told(reach)


def within(column: str, reach: ProjectReach) -> tuple[str, Mapping[str, object]]:
    """Return the condition that a row's project is within reach, deleted or not, and its parameters."""
    if reach.user_id is None:
        return "true", {}
    return f"{column} IN ({GRANTED})", told(reach)
