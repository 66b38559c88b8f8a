"""Which operations want a fresh sign-in: what moves money, changes rights or banks documents, read from the routes."""

import pytest

from api.operations import OPERATIONS, named
from opora.api.policy import Access, Operation

RIGHTS = frozenset({"users:write", "keys:write", "projects:grant"})
MONEY = frozenset({"billing:write", "billing:manage"})
BANKING = frozenset({"documents:process", "contracts:write", "banking:write"})
READING = frozenset({"GET", "HEAD", "OPTIONS"})
SPARED = {
    "DELETE /api/v1/admin/api-keys/{key_id}": "takes a right away, which must be possible at once",
    "DELETE /api/v1/projects/{project_id}/managers/{user_id}": "takes a right away, which must be possible at once",
    "POST /api/v1/payments": "asks for money to come in; the provider asks who pays",
    "POST /api/v1/abs/packets/{packet_id}/retry": "sends again what was decided",
    "POST /api/v1/abs/reconciliations": "compares both sides and decides nothing",
    "POST /api/v1/abs/tickets/{ticket_id}/close": "says that a difference was looked at, and moves nothing",
    "PATCH /api/v1/abs/users/{user_id}/profile": "describes a client and moves no document",
}
"""What wants such a scope and asks for nothing all the same, and why."""
OF_ONESELF = {
    "GET /api/v1/users/me/export",
    "DELETE /api/v1/users/me",
    "POST /api/v1/auth/mfa/totp",
    "POST /api/v1/auth/mfa/totp/confirm",
    "DELETE /api/v1/auth/mfa/totp",
}
"""What any person may do to themselves and nobody who found their desk."""


def moves(operation: Operation) -> bool:
    """Tell whether an operation changes rights, moves money or banks documents, by the scope it wants."""
    return operation.method not in READING and bool((RIGHTS | MONEY | BANKING) & set(operation.policy.scopes))


@pytest.mark.parametrize("operation", [one for one in OPERATIONS if moves(one)], ids=named)
def test_what_moves_money_changes_rights_or_banks_documents_wants_a_fresh_sign_in(operation: Operation) -> None:
    assert operation.policy.step_up is (named(operation) not in SPARED)


def test_what_is_spared_is_there_and_each_group_has_operations() -> None:
    there = {named(one) for one in OPERATIONS if moves(one)}
    assert SPARED.keys() <= there
    for group in (RIGHTS, MONEY, BANKING):
        assert any(group & set(one.policy.scopes) and one.policy.step_up for one in OPERATIONS)


def test_what_one_does_to_oneself_for_good_wants_a_fresh_sign_in_without_any_scope() -> None:
    fresh = {named(one) for one in OPERATIONS if one.policy.access is Access.SIGNED_IN and one.policy.step_up}
    assert fresh >= OF_ONESELF
