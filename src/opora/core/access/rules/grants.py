"""In which ways tokens are given out."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class GrantPolicy:
    """Who gives tokens out, and whether for passwords too.

    RFC 9700 section 2.4 forbids the password grant to third parties; here no client but the service's own may use it,
    and an operator may switch it off.
    """

    issuer: str = "opora"
    by_password: bool = True

    @property
    def grant_types(self) -> tuple[str, ...]:
        """The grants that are served."""
        others = ("refresh_token", "client_credentials")
        return ("password", *others) if self.by_password else others
