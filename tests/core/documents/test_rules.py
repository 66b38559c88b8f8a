"""The rules of documents: names and wishes, moves and their makers, links, tax numbers, what is settled."""

import itertools
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.documents.office import ANNA, CALENDAR, LEASE, OLGA
from opora.adapters.system.identifiers import TimeOrderedIdentifiers
from opora.core.documents.errors import (
    CommentNeeded,
    FourEyes,
    InvalidClient,
    InvalidDocument,
    LinkExpired,
    LinkInvalid,
    NoPerson,
    NotTheWorker,
    NotYoursToSay,
)
from opora.core.documents.model.clients import ClientProfile
from opora.core.documents.model.documents import EVERYONES, NOBODYS, HistoryEntry, Reach
from opora.core.documents.model.links import LinkPolicy
from opora.core.documents.model.policies import Desk
from opora.core.documents.model.reference import Category
from opora.core.documents.model.statuses import BY_MOVE, MOVES, SETTLED, TRANSITIONS, DocumentStatus, Mover
from opora.core.documents.rules import clients, links, sweeping, uploads, workflow
from opora.core.documents.usecases.moving import subject
from opora.core.kernel.errors import DomainError, IllegalMove
from opora.core.kernel.model import SYSTEM, Actor
from opora.testing.documents import CLIENT, NOON, WORKER, a_document

S = DocumentStatus
DESK = Desk(calendar=CALENDAR)
STRICT = Desk(calendar=CALENDAR, is_four_eyed=True, wants_reasons=True)
CATEGORY = Category(id=2, code="c", name="C", processing_days=5, retention_days=30, created_at=NOON)
POLICY = LinkPolicy(secret=b"secret")
DAY = timedelta(days=1)
PROGRAMS = ("a.exe", "a.JS.pdf", "a.com", "a.pdf.com", " command.COM ")
HONEST = ("scan.bin", "Письмо на example.com", "a.bin.pdf")


def test_nothing_is_approved_but_by_a_worker_in_a_review() -> None:
    leading = [row for row in TRANSITIONS if row.target is S.APPROVED]
    assert [(row.source, row.who) for row in leading] == [(S.IN_REVIEW, frozenset({Mover.WORKER}))]
    assert MOVES.final() == {S.QUARANTINED, S.ARCHIVED}
    assert set(BY_MOVE) == {(source, target) for source, targets in MOVES.table.items() for target in targets}


@given(st.lists(st.sampled_from(DocumentStatus), max_size=12), st.lists(st.integers(0, 20), min_size=12, max_size=12))
def test_any_walk_keeps_the_table_and_settles_once(targets: list[DocumentStatus], days: list[int]) -> None:
    document, at = a_document(1), NOON
    walked, settled, version = [S.PENDING], None, 1
    for target, wait in zip(targets, days, strict=False):
        at += wait * DAY
        try:
            workflow.transition(document, target, Mover.WORKER)
        except DomainError:
            allowed = target in MOVES.table[document.status] and Mover.WORKER in BY_MOVE[document.status, target].who
            assert not allowed
            continue
        planned = document.plan_maturity_date
        document = workflow.moved(document, target, WORKER, "user:103", at, CATEGORY, DESK)
        walked.append(target)
        version += 1
        settled = settled or document.fact_maturity_date
        assert document.plan_maturity_date >= planned
        assert (document.status, document.version, document.moved_at) == (target, version, at)
    assert document.fact_maturity_date == settled
    assert (settled is not None) is bool(SETTLED & set(walked))
    assert S.APPROVED not in walked or walked.index(S.IN_REVIEW) < walked.index(S.APPROVED)
    assert all(target in MOVES.table[source] for source, target in itertools.pairwise(walked))


def test_a_move_that_the_table_lacks_names_those_it_has() -> None:
    with pytest.raises(IllegalMove) as refused:
        workflow.transition(a_document(1), S.ARCHIVED, Mover.WORKER)
    assert refused.value.facts["allowed"] == ["in_review", "quarantined"]


def told(by: str, status: DocumentStatus = S.IN_REVIEW) -> HistoryEntry:
    return HistoryEntry(document_id=1, number=1, status=status, at=NOON, by=by)


@pytest.mark.parametrize(
    ("history", "actor", "is_refused"),
    [
        ([told("user:103")], OLGA, True),
        ([told("user:104")], OLGA, False),
        ([told("user:103"), told("user:104")], OLGA, False),
        ([told("user:104")], replace(OLGA, user_id=CLIENT), True),
        ([], Actor(key_id=7), False),
    ],
)
def test_where_four_eyes_are_wanted_two_people_decide(
    history: list[HistoryEntry], actor: Actor, is_refused: bool
) -> None:
    document = a_document(1, status=S.IN_REVIEW)
    row = BY_MOVE[S.IN_REVIEW, S.APPROVED]
    workflow.refuse_hasty(row, document, history, actor, None, DESK)
    if is_refused:
        with pytest.raises(FourEyes):
            workflow.refuse_hasty(row, document, history, actor, None, STRICT)
    else:
        workflow.refuse_hasty(row, document, history, actor, None, STRICT)


def test_where_reasons_are_wanted_they_are_given() -> None:
    document, row = a_document(1, status=S.IN_REVIEW), BY_MOVE[S.IN_REVIEW, S.NEEDS_INFO]
    with pytest.raises(CommentNeeded):
        workflow.refuse_hasty(row, document, [], OLGA, "", STRICT)
    workflow.refuse_hasty(row, document, [], OLGA, "нужна подпись", STRICT)


def test_a_worker_is_the_caller_unless_an_admin_names_another() -> None:
    assert workflow.acting_worker(OLGA, None) == workflow.acting_worker(OLGA, WORKER) == WORKER
    with pytest.raises(NotTheWorker):
        workflow.acting_worker(OLGA, 5)
    assert workflow.acting_worker(Actor(key_id=1, scopes=frozenset({"admin"})), 5) == 5
    assert (workflow.mover(SYSTEM), workflow.mover(OLGA)) == (Mover.SYSTEM, Mover.WORKER)
    assert (subject(SYSTEM), subject(OLGA)) == ("system", "user:103")


def test_a_harmful_file_is_kept_for_as_long_as_a_quarantine() -> None:
    after = workflow.moved(a_document(1), S.QUARANTINED, None, "system", NOON, CATEGORY, DESK)
    assert (after.retained_until, after.fact_maturity_date) == (date(2030, 2, 13), None)


def test_who_sees_what() -> None:
    assert (uploads.reach(OLGA), uploads.reach(ANNA)) == (EVERYONES, Reach(CLIENT))
    assert uploads.reach(Actor(key_id=1)) == NOBODYS
    assert uploads.person(ANNA) == CLIENT
    with pytest.raises(NoPerson):
        uploads.person(Actor(key_id=1))


@pytest.mark.parametrize(
    "name", ["a.pdf", "Скан 12.05.2026.pdf", "site.com.pdf", "без окончания", "a.tar", "x" * 251 + ".pdf", *HONEST]
)
def test_an_honest_name_is_taken(name: str) -> None:
    uploads.refuse_bad_wish(replace(LEASE, file_name=name))


@pytest.mark.parametrize(
    "name",
    ["", " . ", "a/b.pdf", "a\\b.pdf", "a\nb.pdf", "a\u202eb.pdf", "\ud800.pdf", "x" * 252 + ".pdf", *PROGRAMS],
)  # fmt: skip
def test_a_name_that_leads_astray_is_refused(name: str) -> None:
    with pytest.raises(InvalidDocument) as refused:
        uploads.refuse_bad_wish(replace(LEASE, file_name=name))
    assert list(refused.value.errors) == ["file"]


@given(st.text(max_size=300))
def test_any_name_is_judged(name: str) -> None:
    faults = uploads.name_faults(name)
    assert faults or (name.isprintable() and "/" not in name and len(name.encode()) <= 255)


def test_every_fault_of_a_wish_is_named() -> None:
    wish = replace(
        LEASE, description="x" * 1001, actual_date=date(2026, 2, 1), actual_end_date=date(2026, 1, 1), file_name="/"
    )
    with pytest.raises(InvalidDocument) as refused:
        uploads.refuse_bad_wish(wish)
    assert set(refused.value.errors) == {"description", "actual_end_date", "file"}
    uploads.refuse_bad_wish(replace(LEASE, actual_date=date(2026, 1, 1), actual_end_date=date(2026, 1, 1)))


@given(st.integers(1, 86_400), st.integers(0, 90_000))
def test_a_link_holds_until_its_time_and_for_its_document_alone(lasting_s: int, later_s: int) -> None:
    document = a_document(1)
    link = links.signed(document, NOON, timedelta(seconds=lasting_s), POLICY)
    expires = links.seconds(link.expires_at)
    at = NOON + timedelta(seconds=later_s)
    if later_s < lasting_s:
        links.refuse_bad_link(document, expires, link.signature, at, POLICY)
    else:
        with pytest.raises(LinkExpired):
            links.refuse_bad_link(document, expires, link.signature, at, POLICY)
    stolen: list[tuple[Any, int, str, LinkPolicy]] = [
        (a_document(2), expires, link.signature, POLICY),
        (replace(document, sha256="00"), expires, link.signature, POLICY),
        (document, expires + 1, link.signature, POLICY),
        (document, expires, link.signature[:-1] + "x", POLICY),
        (document, expires, "", POLICY),
        (document, expires, link.signature, LinkPolicy(secret=b"other")),
    ]
    for of, until, signature, policy in stolen:
        with pytest.raises(LinkInvalid):
            links.refuse_bad_link(of, until, signature, NOON, policy)


@pytest.mark.parametrize("lasting", [timedelta(0), timedelta(hours=25)])
def test_no_link_is_for_ever(lasting: timedelta) -> None:
    with pytest.raises(InvalidDocument):
        links.signed(a_document(1), NOON, lasting, POLICY)


@pytest.mark.parametrize("inn", ["7707083893", "500100732259"])
def test_a_tax_number_is_right_by_its_check_digits(inn: str) -> None:
    assert clients.is_inn(inn)
    wrong = [f"{inn[:place]}{(int(inn[place]) + 1) % 10}{inn[place + 1 :]}" for place in (0, len(inn) - 1)]
    assert not any(map(clients.is_inn, [*wrong, inn[:-1], inn + "0", "x" * 10, "٣" * 10]))


def test_what_the_bank_says_of_a_client_the_client_does_not() -> None:
    profile, today = ClientProfile(user_id=CLIENT), date(2030, 1, 14)
    said = clients.changed(profile, {"financial_position_id": 1}, OLGA, NOON, today)
    assert (said.financial_position_id, said.version, said.updated_at) == (1, 1, NOON)
    with pytest.raises(NotYoursToSay):
        clients.changed(profile, {"financial_position_id": 1}, ANNA, NOON, today)
    assert clients.changed(said, {"user_type_id": None, "inn": None}, ANNA, NOON, today).version == 2
    for wrong in ({"birthday": today + DAY}, {"birthday": date(1899, 1, 1)}, {"inn": "1"}):
        with pytest.raises(InvalidClient):
            clients.changed(profile, wrong, ANNA, NOON, today)


def test_a_name_tells_when_it_was_made() -> None:
    id, now = TimeOrderedIdentifiers().task_id(), datetime.now(UTC)
    assert not sweeping.is_settled(id, now + timedelta(minutes=59), timedelta(hours=1))
    assert sweeping.is_settled(id, now + timedelta(minutes=61), timedelta(hours=1))
    assert sweeping.is_settled(uuid4(), now, timedelta(hours=1))
    assert sweeping.is_settled(UUID(int=7), now, timedelta(hours=1))
