"""Tickets of streams: one opening each, within half a minute."""

import pytest

from opora.adapters.system.randomness import SystemRandomness
from opora.core.access.errors import TicketInvalid, TicketNeedsPerson
from opora.core.access.model.tickets import TICKET_TTL_S
from opora.core.access.usecases.tickets import IssueTicket, RedeemTicket
from opora.core.kernel.model import SYSTEM, Actor

pytestmark = pytest.mark.anyio


async def test_a_ticket_tells_whose_it_is_once(stage, sqlite_unit):
    issue, redeem = IssueTicket(sqlite_unit, SystemRandomness(), stage.clock), RedeemTicket(sqlite_unit, stage.clock)
    user, now = await stage.a_person(), stage.clock.now()
    ticket = await issue(Actor(user_id=user.id))
    assert await redeem(ticket.ticket) == (user.id, now)
    with pytest.raises(TicketInvalid):
        await redeem(ticket.ticket)


async def test_a_ticket_that_is_old_or_made_up_opens_nothing(stage, sqlite_unit):
    issue, redeem = IssueTicket(sqlite_unit, SystemRandomness(), stage.clock), RedeemTicket(sqlite_unit, stage.clock)
    ticket = await issue(Actor(user_id=(await stage.a_person()).id))
    stage.clock.pass_by(seconds=TICKET_TTL_S)
    for text in (ticket.ticket, "made up"):
        with pytest.raises(TicketInvalid):
            await redeem(text)


async def test_a_key_that_acts_for_nobody_is_given_none(stage, sqlite_unit):
    with pytest.raises(TicketNeedsPerson):
        await IssueTicket(sqlite_unit, SystemRandomness(), stage.clock)(SYSTEM)
