"""What must hold between the dates of a version."""

from opora.core.kernel.errors import VersionInvalid
from opora.core.kernel.model import ApiVersion, VersionStatus


def refuse_bad_version(row: ApiVersion) -> None:
    """Raise VersionInvalid, naming every field, unless a version's days are in order and another one follows it.

    RFC 9745 (section 4): a sunset is never before the deprecation.
    """
    errors: dict[str, list[str]] = {}
    if row.sunset_on is not None and row.deprecated_on is None:
        errors["deprecated_on"] = ["is needed where there is a sunset"]
    if row.sunset_on is not None and row.deprecated_on is not None and row.sunset_on < row.deprecated_on:
        errors["sunset_on"] = ["is not before the deprecation"]
    if row.released_on is not None and row.deprecated_on is not None and row.deprecated_on < row.released_on:
        errors.setdefault("deprecated_on", []).append("is not before the release")
    if row.status is VersionStatus.DEPRECATED and row.deprecated_on is None:
        errors["deprecated_on"] = ["is needed for this status"]
    if row.successor == row.version:
        errors["successor"] = ["is another version"]
    if errors:
        raise VersionInvalid(errors=errors)
