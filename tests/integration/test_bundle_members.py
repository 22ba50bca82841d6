"""Members of a bundle that no traffic tells apart: what leaving each out costs says what each did."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import pytest

from spanloop.optimizer.candidates.candidate import Intervention
from spanloop.optimizer.replay.episode import EpisodeRequest
from spanloop.optimizer.scenarios.scenario import Split
from spanloop.optimizer.strategies import load_strategies, load_trials
from tests.support.analysis import AnalysisStore
from tests.support.cycles import KnownEngine, KnownPlayers, cycle, open_shop, stage

FIRST, SECOND, THIRD = "1" * 32, "2" * 32, "3" * 32
FIXES: Mapping[str, tuple[Intervention, Sequence[int]]] = {
    FIRST: ("verification", (1, 2, 3, 4)),
    SECOND: ("stop_rule", (0, 1, 2)),
    THIRD: ("tool_selection", (3, 4, 5)),
}
"""What is done about each pattern, and which situations it mends, by number modulo 6: what the first mends,
the others mend together."""
EDITS: Mapping[str, Sequence[tuple[Intervention, str]]] = {
    pattern: [(intervention, f"Mind {intervention}.")]
    for pattern, (intervention, _) in FIXES.items()
}


def truth(request: EpisodeRequest) -> bool:
    number = int(request.scenario.scenario_id.rpartition("-")[2]) % 6
    told = request.configuration.system_prompt()
    return any(
        number in mended and f"Mind {intervention}." in told
        for intervention, mended in FIXES.values()
    )


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[AnalysisStore]:
    """Every situation shows every pattern: no traffic tells the edits apart."""
    splits: Sequence[tuple[Split, int]] = (("test", 30), ("train", 12))
    opened = open_shop(
        tmp_path_factory.mktemp("members"),
        dict.fromkeys(FIXES, "verification"),
        {f"{split}-{n}": (split, *FIXES) for split, count in splits for n in range(count)},
    )
    yield opened
    opened.client.close()


def test_where_no_traffic_tells_members_apart_each_is_left_out(store: AnalysisStore) -> None:
    report = cycle(store, KnownPlayers(truth), KnownEngine(EDITS))

    assert stage(report, "experiments")["ship"] == 1
    trials = {t.pattern_id: t for t in load_trials(store.context())}
    assert {name: trial.effect for name, trial in trials.items()} == {
        FIRST: 0.0,  # the two others mend all that it mends
        SECOND: pytest.approx(1 / 6),
        THIRD: pytest.approx(1 / 6),
    }
    first = trials[FIRST]
    assert first.effect_low is not None
    assert first.effect_low < 0 < (first.effect_high or 0)


def test_a_member_that_rode_along_is_no_insight(store: AnalysisStore) -> None:
    assert {each.intervention for each in load_strategies(store.context())} == {
        "stop_rule",
        "tool_selection",
    }
