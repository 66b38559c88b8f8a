"""What can be done in access, as a list the composition root reads."""

from opora.core.access.usecases.authenticate import Authenticate, FindKey
from opora.core.access.usecases.keys import ImportKey, IssueKey, RevokeKey, RotateKey, UpdateKey
from opora.core.access.usecases.people import (
    CreateUser,
    EnsureFirstAdmin,
    ResetAdmin,
    UpdateOwnProfile,
    UpdateUser,
)
from opora.core.access.usecases.sessions import CheckPassword, LogIn, LogOut, RefreshSession
from opora.core.access.usecases.signing import EnsureSigningKey

USE_CASES = (
    Authenticate,
    CheckPassword,
    CreateUser,
    EnsureFirstAdmin,
    EnsureSigningKey,
    FindKey,
    ImportKey,
    IssueKey,
    LogIn,
    LogOut,
    RefreshSession,
    ResetAdmin,
    RevokeKey,
    RotateKey,
    UpdateKey,
    UpdateOwnProfile,
    UpdateUser,
)
