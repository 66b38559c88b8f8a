"""Answers to a call that made something: the thing, and in Location where it can be read (RFC 9110 section 10.2.2)."""

from litestar import Response

from opora.api.http import PREFIX


def made[T](content: T, place: str, status_code: int = 201) -> Response[T]:
    """Return the answer; `place` is the record's path under the version's prefix, such as `/users/7`."""
    return Response(content, status_code=status_code, headers={"location": PREFIX + place})
