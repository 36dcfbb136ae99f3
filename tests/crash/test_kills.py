"""Kills the router wherever it is, again and again, and counts: nothing lost, nothing doubled, nothing wrong.

ROUNDS × SEEDS kills in all, at failpoints by name and count and at random moments, also while it recovers from the kill before.
"""

import sys
from collections import Counter

import pytest
from verdict import differences
from victims import Victims
from world import World

pytestmark = [pytest.mark.crash, pytest.mark.skipif(sys.platform == "win32", reason="victims are forked")]

ROUNDS = 75
SEEDS = range(8)

POINTS = (
    "commit.before", "commit.after", "mark.written", "submit.before", "submit.after", "archive.held", "archive.before", "archive.after",
    "archive.fin", "recover",
    "paper.before", "paper.after", "receipt.before", "receipt.after", "seal.before", "seal.after", "close.before",
    "sys.link.before", "sys.link.after", "sys.unlink.before", "sys.unlink.after", "sys.replace.before", "sys.replace.after",
)  # fmt: skip
IDLE = 60
"""Turns on end without anything to do after which a victim that has not come to its failpoint is killed all the same."""

LONGEST = 60.0
"""Seconds after which it is killed in any case."""


def test_kills_when_counted_are_at_least_500():
    assert ROUNDS * len(SEEDS) >= 500


@pytest.mark.parametrize("seed", SEEDS)
def test_router_when_killed_anywhere_loses_doubles_and_falsifies_nothing(tmp_path, seed):
    world = World(tmp_path / "w", seed)
    deaths = []
    with Victims() as victims:
        while len(deaths) < ROUNDS:
            world.act(world.random.randrange(4))
            death = _a_short_life(victims, world, len(deaths))
            assert death.killed, f"the router ended by itself: {death}"
            deaths.append(death)
            if world.random.random() < 0.3:
                world.act_between_lives()
        world.finish()
        for _ in range(2):
            assert victims.run_once(world.root, _settings(world)).code == 0
    assert len(deaths) >= ROUNDS
    assert sum(bool(death.at) for death in deaths) >= ROUNDS // 4, Counter(death.at for death in deaths)
    wrong = differences(world)
    assert not wrong, "\n".join(wrong)


def _a_short_life(victims, world, number):
    """Every other life ends at a failpoint, each point in its turn; the others at any moment."""
    if number % 2:
        point = f"{POINTS[(number // 2 + world.seed) % len(POINTS)]}:{world.random.choice((1, 1, 1, 2, 3))}"
        after, turns = LONGEST, IDLE
    else:
        point, after, turns = "", world.random.uniform(0.005, 0.15), 0
    return victims.kill(
        world.root,
        _settings(world),
        failpoint=point,
        after=after,
        turns=turns,
        meanwhile=lambda: world.act(world.random.randrange(1, 4)),
    )


def _settings(world):
    return {
        "inbox": {
            "scan_interval": 0.01, "settle": 0.02, "torn_timeout": 3600, "archive_after": world.random.choice((0, 0.02, 0.1)),
            "events": world.random.random() < 0.5,
        },
        "gateways": {"paper": {"cash": "1000000000000"}},
    }  # fmt: skip
