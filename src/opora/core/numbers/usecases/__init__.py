"""What people and jobs can do with campaigns, as a list the composition root reads."""

from opora.core.numbers.usecases import (
    adding,
    calls,
    claims,
    conversion,
    directories,
    numbers,
    projects,
    registry,
    suppressions,
)

USE_CASES = (
    *adding.USE_CASES,
    *calls.USE_CASES,
    *claims.USE_CASES,
    *conversion.USE_CASES,
    *directories.USE_CASES,
    *numbers.USE_CASES,
    *projects.USE_CASES,
    *registry.USE_CASES,
    *suppressions.USE_CASES,
)
