"""Documents and profiles: what was taken is there once, and moves by its table."""

from collections.abc import Iterator, Mapping
from typing import Any, ClassVar

from dishka import AsyncContainer

from opora.bootstrap.simulation.districts.district import (
    ADMIN,
    STAFF,
    Act,
    Check,
    District,
    Store,
    client,
    rows,
    spread,
)
from opora.bootstrap.simulation.outside import paper
from opora.core.documents.model.files import DocumentWish
from opora.core.documents.model.statuses import MOVES, DocumentStatus
from opora.core.documents.usecases.uploads import UploadDocument
from opora.core.documents.usecases.work import ChangeStatus
from opora.core.kernel.model import Moves
from opora.core.profiles.model import exports
from opora.core.profiles.model.requests import GenerationRequest
from opora.core.profiles.usecases.exports import RequestExport
from opora.core.profiles.usecases.profiles import GenerateProfiles

TARGETS = tuple(status for status in DocumentStatus if status is not DocumentStatus.QUARANTINED)
PEOPLE = 2


class Documents(District):
    """Clients send papers in, the same ones too, and workers move them, two at once."""

    name = "documents"
    checks = (
        Check(
            "D1: a document's history does not end where it stands",
            frozenset({"documents"}),
            "SELECT d.id FROM documents d WHERE d.status <> (SELECT h.status FROM document_history h"
            " WHERE h.document_id = d.id ORDER BY h.number DESC LIMIT 1)",
        ),
    )
    moves: ClassVar[Mapping[str, Moves[Any]]] = {"documents": MOVES}

    def act(self, key: str, user_id: int) -> Act:
        chance = self.town.chance
        received = paper(f"paper {chance.randrange(3)} of {user_id}".encode())
        wish = DocumentWish(description=key, category=1, file_name="paper.pdf")
        target = chance.choice(TARGETS)
        told = [int(answer[1:]) for answer in self.town.answers.values() if answer[0] == "d"]
        known = chance.choice(told) if told else 1

        async def upload(program: AsyncContainer) -> object:
            taken = await (await program.get(UploadDocument))(client(user_id), user_id, wish, received)
            return f"d{taken.view.document.id}"

        async def move(program: AsyncContainer) -> object:
            change = await program.get(ChangeStatus)
            return f"m{(await change(ADMIN, known, target, named=STAFF, comment=key))[0].id}"

        return upload if spread(chance, {"upload": 3, "move": 4}) == "upload" else move

    def ended(self, store: Store) -> Iterator[str]:
        """Look for each paper that was taken, for its file, and for papers that are there twice."""
        there = {row["id"]: row for row in rows(store, "SELECT * FROM documents")}
        for key, answer in self.town.answers.items():
            if answer[0] == "d" and int(answer[1:]) not in there:
                yield f"P1: call {key} was told of document {answer[1:]}, which is not there"
        sums = [(row["user_id"], row["sha256"]) for row in there.values()]
        yield from (f"P2: a paper of person {one[0]} is there twice" for one in set(sums) if sums.count(one) > 1)
        names = {str(name) for name in self.town.shelf.kept}
        for row in there.values():
            if f"documents/{row['blob_id']}" not in names:
                yield f"P1: document {row['id']} has no file"


class Profiles(District):
    """People are made and kept, and files of them are asked for."""

    name = "profiles"
    moves: ClassVar[Mapping[str, Moves[Any]]] = {"exports": exports.MOVES}
    unsettled = "SELECT count(*) FROM exports WHERE status IN ('queued', 'running')"

    def act(self, key: str, user_id: int) -> Act:  # noqa: ARG002  # what is made has no words
        chance = self.town.chance
        told = [answer[1:] for answer in self.town.answers.values() if answer[0] == "p"]
        request = GenerationRequest(count=PEOPLE, persist=True, seed=chance.randrange(1_000))
        ids = tuple(int(id) for id in chance.choice(told).split(",")) if told else ()

        async def make(program: AsyncContainer) -> object:
            made = await (await program.get(GenerateProfiles))(client(user_id), request)
            return "p" + ",".join(str(id) for id in made.ids or ())

        async def export(program: AsyncContainer) -> object:
            wish = exports.ExportWish(ids, exports.ExportFormat.JSON)
            return f"x{(await (await program.get(RequestExport))(client(user_id), wish)).id}"

        return make if not ids or spread(chance, {"make": 2, "export": 3}) == "make" else export

    def ended(self, store: Store) -> Iterator[str]:
        """Look for the people and the files that were told of."""
        people = [row["id"] for row in rows(store, "SELECT id FROM profiles")]
        files = {row["id"]: row["status"] for row in rows(store, "SELECT id, status FROM exports")}
        told = [int(id) for answer in self.town.answers.values() if answer[0] == "p" for id in answer[1:].split(",")]
        yield from (f"P1: person {id} was told of and is not there" for id in sorted(set(told) - set(people)))
        names = {str(name) for name in self.town.shelf.kept}
        for key, answer in self.town.answers.items():
            if answer[0] == "x" and answer[1:] not in files:
                yield f"P1: call {key} was told of export {answer[1:]}, which is not there"
        for id, status in files.items():
            if status not in {"completed", "failed"}:
                yield f"J1: export {id} is still {status}"
            if status == "completed" and f"exports/{id}" not in names:
                yield f"P1: export {id} is complete and has no file"
