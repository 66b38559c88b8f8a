"""SMS by HTTP in the form that Twilio gave it, and into a folder."""

import json
from base64 import b64encode
from urllib.parse import parse_qs, unquote, urlencode, urlsplit

from opora.adapters.outbound.client import Answer, OutboundClient
from opora.core.notifications.errors import Deferred, Refused
from opora.core.notifications.model.letters import TextMessage
from opora.core.notifications.ports.channels import Texter

GOOD = range(200, 300)
MENDED_BY_OPERATOR = frozenset({401, 403, 404, 408, 429})
"""Answers that tell of our own account or of a hurry, not of the number."""
BAD = range(400, 500)
TEXT_LENGTH_MAX = 1000


class TwilioTexter(Texter):
    """`https://SID:TOKEN@host/?from=+15551234567`: any service that takes Twilio's calls."""

    def __init__(self, client: OutboundClient, url: str) -> None:
        parts = urlsplit(url)
        account, token = unquote(parts.username or ""), unquote(parts.password or "")
        host = parts.netloc.rpartition("@")[2]
        self._client = client
        self._url = f"{parts.scheme}://{host}/2010-04-01/Accounts/{account}/Messages.json"
        self._proof = b64encode(f"{account}:{token}".encode()).decode()
        self._sender = parse_qs(parts.query.replace("+", "%2B")).get("from", [""])[0]

    async def send(self, message: TextMessage) -> str:
        form = {"To": message.to, "From": self._sender, "Body": message.text[:TEXT_LENGTH_MAX]}
        headers = {
            "authorization": f"Basic {self._proof}",
            "content-type": "application/x-www-form-urlencoded",
            "idempotency-key": message.id,
        }
        return judged(await self._client.post(self._url, headers, urlencode(form).encode()))


def judged(answer: Answer) -> str:
    """Return what a good answer says; raises for every other one."""
    told = f"{answer.status} {said(answer.text)}".strip()
    if answer.status in GOOD:
        return told
    if answer.status in BAD and answer.status not in MENDED_BY_OPERATOR:
        raise Refused(told)
    raise Deferred(told)


def said(text: str) -> str:
    """Return the name of a message or the number of an error; never the text, which may quote the message."""
    try:
        found = json.loads(text)
    except ValueError:
        return ""
    return str(found.get("sid") or found.get("code") or "")[:64] if isinstance(found, dict) else ""
