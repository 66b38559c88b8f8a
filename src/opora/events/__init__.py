"""Listening to Opora's events from another program in Python: each event's effect once.

    async def welcome(event, tx):
        await tx.execute("INSERT INTO greeted (user_id) VALUES ($1)", event.data["subject"])

    await listen("amqp://guest:guest@localhost/", "crm", welcome, PostgresInbox(pool), topics=["user.*"])

The bus delivers at least once. What makes the effect one is the inbox: the event's id and the effect are written in one
transaction. This package imports no other part of Opora.
"""

from opora.events.envelope import Event, NotAnEvent
from opora.events.handling import Handler, Patience
from opora.events.inboxes import Inbox, MemoryInbox, PostgresInbox, SqliteInbox
from opora.events.listening import listen

PUBLIC = (Event, Handler, Inbox, MemoryInbox, NotAnEvent, Patience, PostgresInbox, SqliteInbox, listen)
"""What other programs may count on."""
