"""The contract of notes of access tokens: subclass it and give it what it asks for."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import uuid4

from opora.core.access.model.notes import TokenNote
from opora.core.access.ports.identities import TokenNotes


def a_note(user_id: int, **changes: object) -> TokenNote:
    """Build a note of a token that is good for another minute."""
    end = datetime.now(UTC).replace(microsecond=0) + timedelta(minutes=1)
    note = TokenNote(
        token_id=uuid4().hex,
        user_id=user_id,
        session_id=5,
        email="anna@example.org",
        scopes=("exports:read", "profiles:read"),
        granted=("exports:read", "profiles:read"),
        roles=("client",),
        tier="free",
        email_verified=True,
        expires_at=end,
    )
    return replace(note, **changes)  # type: ignore[arg-type]


class TokenNotesContract:
    """What every store of notes holds: give it `notes`."""

    notes: TokenNotes

    async def test_gives_back_a_persons_notes_and_nobody_elses(self) -> None:
        person = uuid4().int >> 80
        one, two, other = a_note(person), a_note(person, session_id=None, roles=()), a_note(person + 1)
        for note in (one, two, other):
            await self.notes.keep(note)
        found = {note.token_id: note for note in await self.notes.of(person)}
        assert found == {one.token_id: one, two.token_id: two}
        assert list(await self.notes.of(person + 2)) == []

    async def test_a_note_is_renewed_where_it_is_and_nowhere_else(self) -> None:
        person = uuid4().int >> 80
        kept, gone = a_note(person), a_note(person)
        await self.notes.keep(kept)
        for note in (kept, gone):
            await self.notes.renew(replace(note, tier="premium"))
        assert list(await self.notes.of(person)) == [replace(kept, tier="premium")]

    async def test_what_is_dropped_is_gone_and_the_rest_stays(self) -> None:
        person = uuid4().int >> 80
        kept, gone = a_note(person), a_note(person)
        for note in (kept, gone):
            await self.notes.keep(note)
        await self.notes.drop(person, gone.token_id)
        await self.notes.drop(person, gone.token_id)
        assert list(await self.notes.of(person)) == [kept]

    async def test_a_note_whose_token_is_over_is_not_there(self) -> None:
        person = uuid4().int >> 80
        await self.notes.keep(a_note(person, expires_at=datetime.now(UTC) - timedelta(seconds=1)))
        assert list(await self.notes.of(person)) == []
