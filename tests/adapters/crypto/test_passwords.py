"""Password hashes, and the threads they are made in."""

import asyncio
from statistics import median
from threading import Event
from time import process_time

import bcrypt
import pytest

from opora.adapters.crypto.passwords import ArgonPasswords, HashCost
from opora.adapters.crypto.threads import BoundedThreads
from opora.core.access.errors import HashingBusy
from opora.core.access.model.people import PasswordCheck

pytestmark = pytest.mark.anyio

CHEAP = HashCost(memory_kib=64, passes=1)


@pytest.fixture
def threads():
    threads = BoundedThreads(1, waiting_max=1)
    yield threads
    threads.close()


async def test_a_password_fits_its_own_hash_alone(threads):
    passwords = ArgonPasswords(threads, CHEAP)
    stored = await passwords.hash("correct horse")
    assert stored.startswith("$argon2id$")
    assert await passwords.check("correct horse", stored) == PasswordCheck(True)
    assert await passwords.check("correct horsf", stored) == PasswordCheck(False)


async def test_the_default_cost_is_the_least_that_owasp_asks_for(threads):
    stored = await ArgonPasswords(threads).hash("correct horse")
    assert "m=19456,t=2,p=1" in stored


async def test_a_hash_of_another_cost_is_outdated(threads):
    stored = await ArgonPasswords(threads, CHEAP).hash("correct horse")
    dearer = ArgonPasswords(threads, HashCost(memory_kib=128, passes=1))
    assert await dearer.check("correct horse", stored) == PasswordCheck(True, outdated=True)
    assert await dearer.check("wrong", stored) == PasswordCheck(False)


async def test_a_bcrypt_hash_of_another_system_is_checked_and_outdated(threads):
    passwords = ArgonPasswords(threads, CHEAP)
    stored = bcrypt.hashpw(b"x" * 72, bcrypt.gensalt(4)).decode()
    assert await passwords.check("x" * 72, stored) == PasswordCheck(True, outdated=True)
    assert await passwords.check("x" * 80, stored) == PasswordCheck(True, outdated=True)
    assert not (await passwords.check("y" * 72, stored)).matches
    assert not (await passwords.check("x", "$2b$nonsense")).matches


@pytest.mark.parametrize("stored", [None, "", "plain", "$argon2id$nonsense"])
async def test_with_no_real_hash_nothing_matches(threads, stored):
    assert await ArgonPasswords(threads, CHEAP).check("", stored) == PasswordCheck(False)


async def test_with_no_hash_as_much_work_is_done_as_with_one(threads):
    passwords = ArgonPasswords(threads, HashCost(memory_kib=8192, passes=1))
    stored = await passwords.hash("correct horse")
    lengths = {stored: [], None: []}
    for _ in range(15):
        for one, spent in lengths.items():
            begun = process_time()  # of all threads, so that neighbours on the machine do not count
            await passwords.check("guess", one)
            spent.append(process_time() - begun)
    assert 0.5 < median(lengths[stored]) / median(lengths[None]) < 2


async def test_beyond_the_bound_work_is_refused_at_once(threads):
    gate = Event()
    running = [asyncio.ensure_future(threads.run(gate.wait)) for _ in range(2)]
    await asyncio.sleep(0)
    with pytest.raises(HashingBusy):
        await threads.run(gate.wait)
    gate.set()
    assert await asyncio.gather(*running) == [True, True]
    assert await threads.run(gate.wait)


async def test_a_request_that_goes_away_frees_nothing_before_its_thread_is_done(threads):
    begun, gate = Event(), Event()

    def work():
        begun.set()
        return gate.wait()

    running = asyncio.ensure_future(threads.run(work))
    waiting = asyncio.ensure_future(threads.run(gate.wait))
    await asyncio.to_thread(begun.wait)
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    with pytest.raises(HashingBusy):
        await threads.run(gate.wait)
    # Work that no thread has begun is given up with its request.
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    admitted = asyncio.ensure_future(threads.run(gate.wait))
    gate.set()
    assert await admitted
