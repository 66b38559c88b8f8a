"""What can be done in access, as a list the composition root reads."""

from opora.core.access.usecases.authenticate import Authenticate, FindKey, ForgetCaller
from opora.core.access.usecases.clients import AuthenticateClient, GrantToClient, NarrowGrant
from opora.core.access.usecases.erasure import EraseOneself, EraseRecords, ExportOwnRecords
from opora.core.access.usecases.gateway import TellIdentity
from opora.core.access.usecases.introspection import Introspect, RevokeToken
from opora.core.access.usecases.keys import ImportKey, IssueKey, RevokeKey, RotateKey, UpdateKey
from opora.core.access.usecases.login import CheckPassword, FinishLogIn, LogIn, OpenSession
from opora.core.access.usecases.notes import RenewTokenNotes
from opora.core.access.usecases.own_sessions import EndAllSessions, EndSession, ListSessions
from opora.core.access.usecases.passwords import ChangePassword, ForgotPassword, ResetPassword, SendReset
from opora.core.access.usecases.people import (
    CreateUser,
    EnsureFirstAdmin,
    ResetAdmin,
    UpdateOwnProfile,
    UpdateUser,
)
from opora.core.access.usecases.registration import AskVerification, Register, VerifyEmail
from opora.core.access.usecases.second_factor import ConfirmSecondFactor, EnrolSecondFactor, RemoveSecondFactor
from opora.core.access.usecases.sessions import LogOut, RefreshSession
from opora.core.access.usecases.signing import EnsureSigningKey, RotateSigningKey, WithdrawSigningKeys
from opora.core.access.usecases.tickets import IssueTicket, RedeemTicket

USE_CASES = (
    AskVerification,
    Authenticate,
    ChangePassword,
    AuthenticateClient,
    CheckPassword,
    ConfirmSecondFactor,
    CreateUser,
    EndAllSessions,
    EndSession,
    EnrolSecondFactor,
    EnsureFirstAdmin,
    EnsureSigningKey,
    EraseOneself,
    EraseRecords,
    ExportOwnRecords,
    FindKey,
    ForgetCaller,
    FinishLogIn,
    ForgotPassword,
    GrantToClient,
    ImportKey,
    Introspect,
    IssueKey,
    IssueTicket,
    ListSessions,
    LogIn,
    LogOut,
    NarrowGrant,
    OpenSession,
    RedeemTicket,
    RefreshSession,
    Register,
    RemoveSecondFactor,
    RenewTokenNotes,
    ResetAdmin,
    ResetPassword,
    RevokeKey,
    RevokeToken,
    RotateKey,
    RotateSigningKey,
    SendReset,
    TellIdentity,
    UpdateKey,
    UpdateOwnProfile,
    UpdateUser,
    VerifyEmail,
    WithdrawSigningKeys,
)
