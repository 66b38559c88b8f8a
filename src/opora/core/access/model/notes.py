"""What other services may read of an access token by its `jti`."""

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenNote:
    """Whose token it is, what it grants, and what its owner is now; needed until the token expires.

    `granted` is what the token itself says, `scopes` what of that its owner still holds.
    """

    token_id: str
    user_id: int
    session_id: int | None
    email: str
    scopes: tuple[str, ...]
    granted: tuple[str, ...]
    roles: tuple[str, ...]
    tier: str
    email_verified: bool
    expires_at: datetime
