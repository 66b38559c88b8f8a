"""The check of a webhook's signature that the page shows takes what Opora signs, and nothing else."""

from base64 import b64encode
from typing import Any

from docs.pages import REPOSITORY, Page
from opora.adapters.outbound.client import OutboundClient
from opora.adapters.outbound.webhooks import SignedWebhooks
from opora.adapters.system.clock import SystemClock

SECRET = "whsec_" + b64encode(b"0123456789abcdef").decode()


def test_the_check_that_the_page_shows_is_right() -> None:
    [block] = [one for one in Page(REPOSITORY / "docs/notifications.md").blocks() if one.language == "python"]
    shown: dict[str, Any] = {}
    exec(block.text, shown)  # noqa: S102  # our own page
    signature = SignedWebhooks(OutboundClient(None), bytes(32), SystemClock()).signature(SECRET, "msg_1", "1", b"{}")
    headers = {"webhook-id": "msg_1", "webhook-timestamp": "1", "webhook-signature": signature}
    assert shown["is_ours"](SECRET, headers, b"{}")
    assert not shown["is_ours"](SECRET, headers, b"{ }")
    assert not shown["is_ours"](SECRET, headers | {"webhook-timestamp": "2"}, b"{}")
