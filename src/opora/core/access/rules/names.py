"""By which names the rate gate refuses what was taken back."""


def key_name(key_id: int) -> str:
    """Name an API key."""
    return f"key:{key_id}"


def user_name(user_id: int) -> str:
    """Name a person and every token of theirs."""
    return f"user:{user_id}"


def session_name(user_id: int, session_id: int) -> str:
    """Name a session of a person and every token of it."""
    return f"user:{user_id}/session:{session_id}"


def token_name(user_id: int, token_id: str) -> str:
    """Name one access token of a person."""
    return f"user:{user_id}/jti:{token_id}"
