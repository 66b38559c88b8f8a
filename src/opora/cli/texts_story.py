"""The story of document 3: a balance topped up, a plan chosen, a text at once, in the background and as a stream."""

from collections.abc import Mapping
from urllib.parse import urlsplit

from opora.cli.story import Person, Story, dismiss, person, wait
from opora.cli.web import Answer

PRICE_MINOR = 49_000
SANDBOX = "/payments/sandbox/"
PATH = "/api/v1/generate"


def texts_story(story: Story, maker: Mapping[str, str]) -> None:
    """Walk it as a client made for it."""
    client = person(story, maker, "client")
    mine = client.headers
    if _topped_up(story, client):
        story.step(
            "Subscribe: the plan is paid from the balance", "POST", "/api/v1/subscription", {"plan": "standard"},
            expect=(200, 201), headers=mine, show=lambda a: f"plan: {a.json['plan']}",
        )  # fmt: skip
    story.step(
        "A short text is waited for", "POST", PATH, {"function": "post", "topic": "утренний кофе"}, headers=mine,
        show=lambda a: f"{a.json['text'][:60]}… ({a.json['usage']['total_tokens']} tokens)",
    )  # fmt: skip
    _later(story, client)
    _streamed(story, client)
    story.step(
        "What is used of the plan", "GET", "/api/v1/subscription/usage", headers=mine,
        show=lambda a: ", ".join(f"{one['feature']} a {one['period']}: {one['used']}" for one in a.json["limits"]),
    )  # fmt: skip
    story.step(
        "What is left of the balance", "GET", "/api/v1/balance", headers=mine,
        show=lambda a: f"{a.json['available_minor']} {a.json['currency']}, in minor units",
    )  # fmt: skip
    dismiss(story, maker, client)


def _topped_up(story: Story, client: Person) -> bool:
    """Pay on the sandbox's page; tell False where another provider takes the money."""
    made = story.step(
        "Begin a payment", "POST", "/api/v1/payments", {"amount_minor": PRICE_MINOR, "currency": "RUB"},
        expect=(201,), headers=client.headers, show=lambda a: f"payment {a.json['id']}: {a.json['status']}",
    )  # fmt: skip
    page = urlsplit(made.json["confirmation_url"] or "").path
    if SANDBOX not in page:
        return False
    story.step("Pay on the sandbox's page", "POST", f"{page}/pay", headers=client.headers)
    asking = Story(story.web, story.told, dict(client.headers))
    wait(asking, "/api/v1/balance", lambda told: told.get("available_minor") == PRICE_MINOR, "the payment is settled")
    return True


def _later(story: Story, client: Person) -> None:
    """Let a text be written in the background and fetch it."""
    wish = {"function": "summary", "topic": "Длинный отчёт о продажах за квартал.", "mode": "async"}
    taken = story.step(
        "A text in the background is taken on", "POST", PATH, wish, expect=(202,), headers=client.headers,
        show=lambda a: f"task {a.json['task_id']}",
    )  # fmt: skip
    url = taken.json["status_url"]
    asking = Story(story.web, story.told, dict(client.headers))
    wait(asking, url, lambda told: told.get("status") in {"completed", "failed"}, "the text is written")
    done = story.step("It is fetched", "GET", url, headers=client.headers, show=lambda a: f"status: {a.json['status']}")
    story.hold(done.json["status"] == "completed", "a text in the background is completed")


def _streamed(story: Story, client: Person) -> None:
    """Read a text as a stream, and its end again from a place in the middle."""
    wish = {"function": "post", "topic": "зелёный чай", "mode": "stream"}
    answer = story.step("A text is streamed", "POST", PATH, wish, headers=client.headers, show=_events)
    places = [line.removeprefix("id: ") for line in answer.body.decode().split("\n") if line.startswith("id: ")]
    story.hold(b"event: done" in answer.body and len(places) > 1, "a stream ends with `done`")
    url = next(line for line in answer.body.decode().split('"') if line.endswith("/stream"))
    rest = story.step(
        "Its rest is read again from a place in the middle", "GET", url,
        headers={**client.headers, "Last-Event-ID": places[len(places) // 2]}, show=_events,
    )  # fmt: skip
    story.hold(b"event: done" in rest.body and b"event: reset" not in rest.body, "a stream goes on where it was left")


def _events(answer: Answer) -> str:
    return f"{answer.body.count(b'event: ')} events"
