"""`opora simulate` plays seeds for whoever wants to see, and tells how to see a broken promise again."""

from cli.conftest import Opora
from opora.bootstrap.simulation.limits import Calls
from opora.cli.exits import Exit


def test_seeds_are_played_and_counted(opora: Opora) -> None:
    ended = opora("simulate", "--seeds", "3", "--json")
    assert ended.code == Exit.OK
    told = ended.json
    assert (told["seeds"], told["failures"]) == (3, [])
    assert told["jobs"] > 0
    assert told["limited_calls"] > 0


def test_a_broken_promise_is_named_with_the_command_that_shows_it_again(opora: Opora, monkeypatch) -> None:
    monkeypatch.setattr(
        "opora.cli.simulate.limit_runs", lambda seeds: (Calls(seed, ("L2: too often",), 1, 1, 0) for seed in seeds)
    )
    ended = opora("simulate", "--first", "41", "--seeds", "1")
    assert ended.code == Exit.FINDINGS
    assert "seed 41: L2: too often" in ended.out
    assert "opora simulate --first 41 --seeds 1" in ended.out
