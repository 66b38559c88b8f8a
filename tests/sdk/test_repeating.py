"""When the Python client sends a call again, against a service that is played."""

from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pytest
from opora_client import NoAnswer, Opora, RateLimited, Unavailable, models

Answering = Callable[[httpx.Request], httpx.Response]
BUSY = {"status": 503, "code": "overloaded", "detail": "Busy."}


def client(answers: Answering, waits: list[float]) -> Opora:
    return Opora("http://opora.test", http=httpx.Client(transport=httpx.MockTransport(answers)), sleep=waits.append)


def test_attempts_are_bounded_and_keep_their_idempotency_key() -> None:
    seen: list[str] = []
    waits: list[float] = []

    def busy(request: httpx.Request) -> httpx.Response:
        seen.append(request.headers["idempotency-key"])
        return httpx.Response(503, json=BUSY, headers={"Retry-After": "2"})

    with pytest.raises(Unavailable) as refused, client(busy, waits) as opora:
        opora.profiles.generate(models.Wish(count=1))
    assert (refused.value.code, len(seen), len(set(seen)), waits) == ("overloaded", 4, 1, [2.0, 2.0, 2.0])


def test_what_is_not_safe_to_repeat_is_sent_once() -> None:
    seen: list[str] = []

    def limited(request: httpx.Request) -> httpx.Response:
        seen.append(request.method)
        return httpx.Response(429, json={"code": "rate_limited"}, headers={"Retry-After": "0"})

    waits: list[float] = []
    with client(limited, waits) as opora:
        for call in (
            lambda: opora.auth.login(models.AuthLoginBody(password="x")),
            lambda: opora.users.update_me(models.OwnChanges()),
        ):
            with pytest.raises(RateLimited):
                call()
    assert (seen, waits) == (["POST", "PATCH"], [])


def test_another_refusal_is_final_and_a_lost_connection_is_not() -> None:
    waits: list[float] = []
    tries = iter([httpx.ConnectError("down"), httpx.ReadTimeout("slow"), None])

    def flaky(request: httpx.Request) -> httpx.Response:
        if trouble := next(tries):
            raise trouble
        return httpx.Response(200, json={"status": "ok"})

    with client(flaky, waits) as opora:
        assert opora.health.get().status == "ok"
    assert len(waits) == 2 and 0.25 <= waits[0] <= 0.5 <= waits[1] <= 1.0

    def down(request: httpx.Request) -> httpx.Response:
        raise httpx.ConnectError("down")

    with pytest.raises(NoAnswer), client(down, waits) as opora:
        opora.health.get()


class Broken(httpx.SyncByteStream):
    """A body that ends in the middle."""

    def __iter__(self) -> Iterator[bytes]:
        yield b"first half, "
        raise httpx.ReadError("the line broke")


NOWHERE = "018f0000-0000-7000-8000-000000000000"


@pytest.mark.parametrize("resumes", [True, False])
def test_a_broken_download_goes_on_where_it_broke_or_starts_again(tmp_path: Path, resumes: bool) -> None:
    asked: list[tuple[str | None, str | None]] = []

    def answers(request: httpx.Request) -> httpx.Response:
        asked.append((request.headers.get("range"), request.headers.get("if-range")))
        headers = {"etag": '"a"', "content-type": "application/pdf"}
        if len(asked) == 1:
            return httpx.Response(200, stream=Broken(), headers=headers)
        if resumes:
            return httpx.Response(206, content=b"second half", headers=headers)
        return httpx.Response(200, content=b"another file", headers=headers)

    with client(answers, []) as opora:
        file = opora.exports.download(NOWHERE, tmp_path / "file.pdf")  # type: ignore[arg-type]
    assert asked == [(None, None), ("bytes=12-", '"a"')]
    assert file.path.read_bytes() == (b"first half, second half" if resumes else b"another file")
    assert file.size_bytes == file.path.stat().st_size


def test_a_download_that_never_comes_whole_leaves_nothing(tmp_path: Path) -> None:
    with pytest.raises(NoAnswer), client(lambda _: httpx.Response(200, stream=Broken()), []) as opora:
        opora.exports.download(NOWHERE, tmp_path / "file.pdf")  # type: ignore[arg-type]
    assert list(tmp_path.iterdir()) == []


def test_a_word_that_a_newer_service_has_added_is_kept() -> None:
    answer = {"export_id": NOWHERE, "status": "paused", "status_url": "/x", "a_new_field": 1}
    with client(lambda _: httpx.Response(202, json=answer), []) as opora:
        queued = opora.exports.create(models.ExportsNewExport(profile_ids=[1], format=models.ExportFormat.PDF))
    assert queued.status == "paused"
