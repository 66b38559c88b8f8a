"""How an identity is told to other services."""

IDENTITY_TYPE = "opora-identity+jwt"
"""The `typ` of a signed identity: no access token, and no access token is one."""
IDENTITY_TTL_S = 60
