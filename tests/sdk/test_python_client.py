"""The Python client against a service that runs."""

import re
import time
from collections.abc import Iterator
from pathlib import Path

import anyio
import msgspec
import pypdf
import pytest
from opora_client import (
    AsyncOpora,
    Conflict,
    NotFound,
    Opora,
    Problem,
    RateLimited,
    Retrying,
    Unauthenticated,
    async_wait_for,
    models,
    wait_for,
)  # fmt: skip
from opora_client.files import Upload

from architecture.trees import REPOSITORY
from sdk.conftest import ADMIN, PASSWORD, Served

pytestmark = pytest.mark.anyio
SCOPES = ["profiles:read", "profiles:write", "profiles:delete", "exports:read", "exports:write", "generate:write"]


@pytest.fixture(scope="module")
def admin(served: Served) -> Iterator[Opora]:
    """A client under the token of an administrator, who signed in by it."""
    with Opora(served.address) as client:
        assert client.health.get().status == "ok"
        signed_in = client.auth.login(models.AuthLoginBody(email=ADMIN, password=PASSWORD))
        yield client.under(token=signed_in.access_token)


@pytest.fixture(scope="module")
def partner(admin: Opora) -> Opora:
    """A client under a key that the administrator made."""
    wanted = models.NewApiKey(label="partner", scopes=SCOPES, environment=models.Environment.TEST)
    issued = admin.api_keys.create(wanted)
    assert issued.key.startswith("opk_test_") and issued.environment is models.Environment.TEST
    return admin.under(api_key=issued.key)


def limited(admin: Opora, served: Served, **options: object) -> tuple[models.IssuedKey, Opora]:
    issued = admin.api_keys.create(models.NewApiKey(label="one a minute", scopes=SCOPES, rate_limit_per_min=1))
    return issued, Opora(served.address, api_key=issued.key, **options)  # type: ignore[arg-type]


def test_people_are_made_listed_by_filter_over_pages_and_exported(partner: Opora, tmp_path: Path) -> None:
    made = partner.profiles.generate(models.Wish(count=100, persist=True, seed=7))
    assert len({one.id for one in made.profiles}) == 100

    listing = partner.profiles.list(limit=30, locale="ru_RU")
    pages = list(listing.pages())
    assert [len(page.results) for page in pages] == [30, 30, 30, 10]
    assert {one.id for one in listing} == {one.id for one in made.profiles}
    name = made.profiles[0].last_name
    assert made.profiles[0].id in {one.id for one in partner.profiles.list(q=name, limit=1)}

    ids = [one.id for one in made.profiles if one.id]
    queued = partner.exports.create(models.ExportsNewExport(profile_ids=ids, format=models.ExportFormat.PDF))
    over = {models.ExportStatus.COMPLETED, models.ExportStatus.FAILED}
    done = wait_for(lambda: partner.exports.get(queued.export_id), lambda one: one.status in over, every_s=0.1)
    assert (done.status, done.progress) == (models.ExportStatus.COMPLETED, 100)
    file = partner.exports.download(queued.export_id, tmp_path / "people.pdf")
    assert (file.media_type, file.size_bytes) == ("application/pdf", file.path.stat().st_size)
    assert len(pypdf.PdfReader(file.path).pages) == 100
    assert [one.name for one in tmp_path.iterdir()] == ["people.pdf"]

    lines = partner.profiles.export(tmp_path / "people.ndjson", format=models.ListFormat.NDJSON)
    assert len(lines.path.read_text("utf-8").splitlines()) == 100


async def test_the_same_is_done_on_an_event_loop(admin: Opora, served: Served, tmp_path: Path) -> None:
    issued = admin.api_keys.create(models.NewApiKey(label="async", scopes=SCOPES))
    async with AsyncOpora(served.address, api_key=issued.key) as client:
        made = await client.profiles.generate(models.Wish(count=25, persist=True))
        assert {one.id async for one in client.profiles.list(limit=10)} == {one.id for one in made.profiles}
        wanted = models.ExportsNewExport(
            profile_ids=[one.id for one in made.profiles if one.id], format=models.ExportFormat.JSON
        )
        queued = await client.exports.create(wanted)
        done = await async_wait_for(
            lambda: client.exports.get(queued.export_id),
            lambda one: one.status == models.ExportStatus.COMPLETED,
            every_s=0.1,
        )
        file = await client.exports.download(done.id, tmp_path / "people.json")
        assert file.media_type == "application/json" and file.path.read_bytes().startswith((b"[", b"{"))
        with pytest.raises(NotFound):
            await client.profiles.get(999_999_999)


def test_a_refusal_is_an_error_of_its_status_with_its_code(partner: Opora, served: Served) -> None:
    with pytest.raises(NotFound) as refused:
        partner.profiles.get(999_999_999)
    assert (refused.value.status, refused.value.code) == (404, "no_such_profile")
    assert refused.value.trace_id and refused.value.type.endswith("no_such_profile")
    with pytest.raises(Problem) as invalid:
        partner.profiles.generate(models.Wish(count=-1))
    assert "count" in invalid.value.errors
    with pytest.raises(Unauthenticated), Opora(served.address, api_key="opk_test_none") as nobody:
        nobody.profiles.list().first()


def test_the_same_key_twice_has_one_effect_and_another_body_under_it_is_a_conflict(partner: Opora) -> None:
    wish = models.Wish(count=3, persist=True)
    first, second = (partner.profiles.generate(wish, idempotency_key="once") for _ in range(2))
    assert first == second
    with pytest.raises(Problem) as refused:
        partner.profiles.generate(models.Wish(count=4, persist=True), idempotency_key="once")
    assert isinstance(refused.value, Conflict) or refused.value.status == 422


def test_a_call_past_the_limit_is_repeated_after_the_time_that_the_service_names(admin: Opora, served: Served) -> None:
    issued, _ = limited(admin, served)
    waits: list[float] = []

    def instead_of_sleeping(wait_s: float) -> None:
        waits.append(wait_s)
        admin.api_keys.update(issued.id, models.ApiKeyChanges(rate_limit_per_min=100))
        time.sleep(1.0)  # the promise of when it holds

    with Opora(served.address, api_key=issued.key, sleep=instead_of_sleeping) as client:
        client.profiles.list().first()
        assert client.profiles.list(limit=1).first().count_exact in {True, False}
    assert len(waits) == 1 and 1 <= waits[0] <= 60


def test_a_wait_past_the_bound_is_left_to_the_caller(admin: Opora, served: Served) -> None:
    _, client = limited(admin, served, retrying=Retrying(wait_longest_s=0.5))
    with client:
        client.profiles.list().first()
        with pytest.raises(RateLimited) as refused:
            client.profiles.list().first()
    assert refused.value.code == "rate_limited" and 1 <= (refused.value.retry_after_s or 0) <= 60
    assert int(refused.value.headers["x-ratelimit-limit"]) == 1


def test_a_file_is_sent_with_its_fields(admin: Opora, tmp_path: Path) -> None:
    writer = pypdf.PdfWriter()
    writer.add_blank_page(72, 72)
    paper = tmp_path / "paper.pdf"
    writer.write(paper)
    body = models.DboUploadDocumentBody(
        file=Upload.of(paper, "application/pdf"), description="Договор аренды", category="Договоры"
    )
    sent = admin.dbo.upload_document(body)
    assert admin.dbo.get_document(sent.id).description == "Договор аренды"


def test_a_streamed_answer_is_given_event_by_event(partner: Opora) -> None:
    body = models.NewCompletion(model="opora-local", messages=[models.ChatMessage(role="user", content="Hi")])
    whole = partner.chat.create_completion(body)
    assert whole.choices[0].message.content
    streamed = msgspec.structs.replace(body, stream=True)
    events = list(partner.chat.stream_create_completion(streamed))
    assert events[-1].data == "[DONE]"
    parts = [one.json()["choices"] for one in events[:-1]]
    assert "".join(part[0]["delta"].get("content") or "" for part in parts if part)


async def test_many_calls_share_one_pool(admin: Opora, served: Served) -> None:
    issued = admin.api_keys.create(models.NewApiKey(label="many", scopes=SCOPES))
    seen: list[int] = []
    async with AsyncOpora(served.address, api_key=issued.key) as client, anyio.create_task_group() as tasks:

        async def ask() -> None:
            seen.append((await client.profiles.list(limit=1).first()).count)

        for _ in range(20):
            tasks.start_soon(ask)
    assert len(seen) == 20


def test_the_example_of_the_readme_runs(
    served: Served, admin: Opora, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    key = admin.api_keys.create(models.NewApiKey(label="reader", scopes=SCOPES)).key
    text = (REPOSITORY / "deploy/sdk/python/README.md").read_text("utf-8")
    first, second, third = re.findall(r"```python\n(.*?)```", text, re.DOTALL)
    monkeypatch.chdir(tmp_path)
    for block in (first, second, third):
        for old, new in (
            ("http://127.0.0.1:8000", served.address), ("opk_live_…", key), ("me@example.com", ADMIN),
            ('"…"', repr(PASSWORD)),
        ):  # fmt: skip
            block = block.replace(old, new)  # noqa: PLW2901 - the reader's own values, one after the other
        exec(compile(block, "README.md", "exec"), {})  # noqa: S102 - the example is the test
    assert "no_such_profile" in capsys.readouterr().out
    assert (tmp_path / "people.pdf").stat().st_size > 1000
