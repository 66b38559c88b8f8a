"""A letter as it goes over the wire: headers that no value can break out of, a text and an HTML part, files."""

from datetime import datetime
from email.errors import MessageError
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime

from opora.core.notifications.errors import Refused
from opora.core.notifications.model.letters import Letter

UNFOLDED = SMTP.clone(max_line_length=998)
"""A header on one line, as long as the protocol allows: some readers do not put a folded Message-ID together."""
BREAKS = frozenset("\r\n\0")


def message_of(letter: Letter, sender: str, sender_name: str, now: datetime) -> bytes:
    """Write the message; raises Refused for an address that no letter can go to."""
    message = EmailMessage(policy=SMTP)
    message["From"] = Address(sender_name, addr_spec=sender)
    message["To"] = Address(addr_spec=checked(letter.to))
    message["Subject"] = unbroken(letter.subject)
    message["Date"] = format_datetime(now)
    message["Message-ID"] = unbroken(letter.message_id)
    for name, value in letter.headers.items():
        message[name] = unbroken(value)
    message.set_content(letter.text, cte="base64")
    message.add_alternative(letter.html, subtype="html", cte="base64")
    for one in letter.attachments:
        main, _, sub = one.media_type.partition("/")
        parameters = {name: unbroken(value) for name, value in one.parameters.items()}
        message.add_attachment(one.content, maintype=main, subtype=sub, filename=unbroken(one.name), params=parameters)
    return message.as_bytes(policy=UNFOLDED)


def checked(address: str) -> str:
    """Return an address that is one; raises Refused for what a mail server could read as more."""
    try:
        if BREAKS & frozenset(address):
            raise ValueError(address)
        parsed = Address(addr_spec=address)
        if not (parsed.username and parsed.domain and address.isascii()):
            raise ValueError(address)
        return parsed.addr_spec
    except (ValueError, IndexError, MessageError) as error:
        raise Refused("the address cannot be written in a letter") from error


def unbroken(text: str) -> str:
    """Return a header's text on one line."""
    return " ".join("".join(" " if letter in BREAKS else letter for letter in text).split())
