"""By which names the rate gate refuses what was taken back."""

from opora.core.access.model.tokens import Claims


def key_name(key_id: int) -> str:
    """Name an API key."""
    return f"key:{key_id}"


def key_token_name(key_id: int, token_id: str) -> str:
    """Name one access token that a key asked for in its own name."""
    return f"key:{key_id}/jti:{token_id}"


def user_name(user_id: int) -> str:
    """Name a person and every token of theirs."""
    return f"user:{user_id}"


def session_name(user_id: int, session_id: int) -> str:
    """Name a session of a person and every token of it."""
    return f"user:{user_id}/session:{session_id}"


def token_name(user_id: int, token_id: str) -> str:
    """Name one access token of a person."""
    return f"user:{user_id}/jti:{token_id}"


def rights_name(user_id: int, version: int) -> str:
    """Name what a person's tokens granted while the person's record had that version."""
    return f"user:{user_id}/rights:{version}"


def key_rights_name(key_id: int, owner_version: int) -> str:
    """Name what a key granted while its owner's record had that version."""
    return f"key:{key_id}/rights:{owner_version}"


def own_name(claims: Claims) -> str:
    """Name the access token of these claims, whoever asked for it."""
    if claims.key_id is not None:
        return key_token_name(claims.key_id, claims.token_id)
    return token_name(claims.subject, claims.token_id)
