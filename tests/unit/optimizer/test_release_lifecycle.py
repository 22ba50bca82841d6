"""What may happen to releases; and that whatever happens, an agent has one current one and one canary."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from spanloop.optimizer.configuration import AgentConfiguration
from spanloop.optimizer.releases import lifecycle
from spanloop.optimizer.releases.assignment import in_canary, position
from spanloop.optimizer.releases.lifecycle import Change
from spanloop.optimizer.releases.release import By, Release, ReleaseConflict
from spanloop.optimizer.releases.secret_free import refuse_secrets
from spanloop.processor.errors import PermanentError

T0 = datetime(2026, 11, 1, tzinfo=UTC)


def by(step: int = 0, actor: str = "ann") -> By:
    return By(actor=actor, at=T0 + timedelta(milliseconds=step), reason="because")


def release(number: int, **changed: Any) -> Release:
    return replace(
        Release(
            release_id=f"rel-{number}",
            project="default",
            agent="support",
            number=number,
            state="proposed",
            configuration=AgentConfiguration(components={"instructions": f"Be {number}."}),
            created_at=T0,
        ),
        **changed,
    )


def applied(line: list[Release], change: Change) -> list[Release]:
    changed = {r.release_id: r for r in change.releases}
    kept = [r for r in line if r.release_id not in changed]
    return sorted([*kept, *changed.values()], key=lambda r: r.number)


def states(line: list[Release]) -> list[str]:
    return [r.state for r in line]


@pytest.fixture
def line() -> list[Release]:
    """A current release, and one that was tested against it."""
    registered = applied([], lifecycle.register([], release(1), by()))
    proposal = release(2, previous="rel-1")
    return applied(registered, lifecycle.propose(registered, proposal, by(1)))


def test_a_proposal_becomes_canary_then_current_then_is_superseded(line: list[Release]) -> None:
    line = applied(line, lifecycle.begin_canary(line, "rel-2", by(2), share=0.1))
    assert states(line) == ["current", "canary"]
    assert lifecycle.canary_of(line) == replace(
        line[1], share=0.1, activated_at=T0 + timedelta(milliseconds=2)
    )
    change = lifecycle.promote(line, "rel-2", by(3))
    assert [(e.release.release_id, e.action) for e in change.events] == [
        ("rel-2", "promoted"),
        ("rel-1", "superseded"),
    ]
    line = applied(line, change)
    assert states(line) == ["superseded", "current"]
    assert (line[0].share, line[1].share, line[1].previous) == (0.0, 1.0, "rel-1")
    line = applied(line, lifecycle.register(line, release(3), by(4)))
    assert states(line) == ["superseded", "superseded", "current"]


def test_roll_back_of_a_canary_leaves_the_current_one_alone(line: list[Release]) -> None:
    line = applied(line, lifecycle.approve(line, "rel-2", by(2), share=0.2))
    change = lifecycle.roll_back(line, "rel-2", by(3))
    assert [r.release_id for r in change.releases] == ["rel-2"]
    assert states(applied(line, change)) == ["current", "rolled_back"]


def test_roll_back_of_the_current_one_returns_to_what_was_before_and_ends_its_canary(
    line: list[Release],
) -> None:
    line = applied(line, lifecycle.approve(line, "rel-2", by(2), share=1.0))
    line = applied(line, lifecycle.propose(line, release(3, previous="rel-2"), by(3)))
    line = applied(line, lifecycle.begin_canary(line, "rel-3", by(4), share=0.5))
    change = lifecycle.roll_back(line, "rel-2", by(5))
    assert [(e.release.release_id, e.action) for e in change.events] == [
        ("rel-2", "rolled_back"),
        ("rel-1", "promoted"),
        ("rel-3", "superseded"),
    ]
    line = applied(line, change)
    assert states(line) == ["current", "rolled_back", "superseded"]
    with pytest.raises(ReleaseConflict, match="none before it"):
        lifecycle.roll_back(line, "rel-1", by(6))


def test_only_a_served_release_is_rolled_back_and_only_a_proposed_one_refused(
    line: list[Release],
) -> None:
    with pytest.raises(ReleaseConflict, match="is proposed; only a canary or current one"):
        lifecycle.roll_back(line, "rel-2", by())
    with pytest.raises(ReleaseConflict, match="is current; only a proposed one"):
        lifecycle.refuse(line, "rel-1", by())
    refused = applied(line, lifecycle.refuse(line, "rel-2", by(2)))
    with pytest.raises(ReleaseConflict, match="is refused"):
        lifecycle.approve(refused, "rel-2", by(3), share=1.0)


def test_one_canary_at_a_time(line: list[Release]) -> None:
    line = applied(line, lifecycle.begin_canary(line, "rel-2", by(2), share=0.1))
    line = applied(line, lifecycle.propose(line, release(3, previous="rel-1"), by(3)))
    for step in (lifecycle.begin_canary, lifecycle.approve):
        with pytest.raises(ReleaseConflict, match="is a canary already"):
            step(line, "rel-3", by(4), share=0.1)


def test_a_person_may_register_a_canary(line: list[Release]) -> None:
    change = lifecycle.register(line, release(3), by(2), share=0.5)
    assert [e.action for e in change.events] == ["registered", "canary"]
    assert states(applied(line, change)) == ["current", "proposed", "canary"]
    assert change.releases[0].previous == "rel-1"
    with pytest.raises(ReleaseConflict, match="no current release"):
        lifecycle.register([], release(1), by(), share=0.5)
    for share in (0.0, 1.0):
        with pytest.raises(ReleaseConflict, match="between 0 and 1"):
            lifecycle.begin_canary(line, "rel-2", by(2), share=share)


def test_a_canarys_share_grows_and_never_shrinks(line: list[Release]) -> None:
    line = applied(line, lifecycle.begin_canary(line, "rel-2", by(2), share=0.2))
    line = applied(line, lifecycle.approve(line, "rel-2", by(9), share=0.5))
    assert (line[1].share, line[1].activated_at) == (0.5, T0 + timedelta(milliseconds=2))
    with pytest.raises(ReleaseConflict, match="smaller one would move conversations"):
        lifecycle.approve(line, "rel-2", by(10), share=0.4)


def test_without_a_current_release_approval_makes_it_current() -> None:
    line = applied([], lifecycle.propose([], release(1), by()))
    assert states(applied(line, lifecycle.approve(line, "rel-1", by(1), share=0.1))) == ["current"]
    with pytest.raises(ReleaseConflict, match="no current release"):
        lifecycle.begin_canary(line, "rel-1", by(1), share=0.1)


def test_a_proposal_is_stale_once_another_release_is_current(line: list[Release]) -> None:
    assert not lifecycle.is_stale(line, line[1])
    later = applied(line, lifecycle.register(line, release(3), by(5)))
    assert lifecycle.is_stale(later, line[1])


def test_ids_may_be_cut_as_long_as_they_are_clear(line: list[Release]) -> None:
    assert lifecycle.find(line, "rel-2").number == 2
    for unclear in ("rel-", "", "other"):
        with pytest.raises(ReleaseConflict):
            lifecycle.find(line, unclear)


def test_versions_grow_within_one_millisecond(line: list[Release]) -> None:
    before = line[1].version
    line = applied(line, lifecycle.approve(line, "rel-2", by(0), share=0.1))
    line = applied(line, lifecycle.approve(line, "rel-2", by(0), share=0.2))
    assert line[1].version == max(lifecycle.milliseconds(T0), before + 1) + 1


STEPS: dict[str, Callable[[list[Release], str, By, float], Change]] = {
    "approve": lambda line, r, who, share: lifecycle.approve(line, r, who, share=share),
    "begin": lambda line, r, who, share: lifecycle.begin_canary(line, r, who, share=share),
    "register canary": lambda line, _, who, share: lifecycle.register(
        line, release(lifecycle.next_number(line)), who, share=share
    ),
    "promote": lambda line, r, who, _: lifecycle.promote(line, r, who),
    "refuse": lambda line, r, who, _: lifecycle.refuse(line, r, who),
    "roll back": lambda line, r, who, _: lifecycle.roll_back(line, r, who),
    "register": lambda line, _, who, __: lifecycle.register(
        line, release(lifecycle.next_number(line)), who
    ),
    "propose": lambda line, _, who, __: lifecycle.propose(
        line, release(lifecycle.next_number(line)), who
    ),
}


@given(
    st.lists(
        st.tuples(
            st.sampled_from(sorted(STEPS)), st.integers(1, 6), st.sampled_from([0.1, 0.5, 1.0])
        ),
        max_size=40,
    )
)
def test_whatever_is_done_there_is_one_current_release_and_at_most_one_canary(
    steps: list[tuple[str, int, float]],
) -> None:
    line = applied([], lifecycle.register([], release(1), by()))
    for i, (name, number, share) in enumerate(steps, start=1):
        before = {r.release_id: r for r in line}
        try:
            change = STEPS[name](line, f"rel-{number}", by(i), share)
        except ReleaseConflict:
            continue
        line = applied(line, change)
        assert states(line).count("current") == 1
        assert states(line).count("canary") <= 1
        moved = {r.release_id for r in line if before.get(r.release_id) != r}
        assert moved == {r.release_id for r in change.releases}
        assert moved <= {e.release.release_id for e in change.events}
        for r in change.releases:
            assert r.release_id not in before or r.version > before[r.release_id].version


@given(st.text(), st.floats(0, 1), st.floats(0, 1))
def test_a_larger_share_keeps_everyone_who_is_in(unit: str, one: float, other: float) -> None:
    small, large = sorted((one, other))
    assert in_canary(unit, "rel-1", large) or not in_canary(unit, "rel-1", small)


def test_positions_are_uniform_and_differ_by_salt() -> None:
    n = 20_000
    positions = [position(f"conversation-{i}", "rel-1") for i in range(n)]
    shares = [sum(p < share for p in positions) / n for share in (0.1, 0.5, 0.9)]
    assert shares == pytest.approx([0.1, 0.5, 0.9], abs=0.01)
    both = sum(
        p < 0.5 and position(f"conversation-{i}", "rel-2") < 0.5 for i, p in enumerate(positions)
    )
    assert both / n == pytest.approx(0.25, abs=0.01)


@pytest.mark.parametrize(
    ("components", "parameters", "named"),
    [
        ({"instructions": "Use sk-abcdefghij0123456789."}, {}, "instructions"),
        ({"context.shop": "api key: 9f8e7d6c5b4a3210"}, {}, "context.shop"),
        ({}, {"api_key": "x"}, "api_key"),
        ({}, {"endpoint": "https://bot:hunter2hunter2@db.example"}, "endpoint"),
    ],
)
def test_a_configuration_with_a_secret_is_refused_without_repeating_it(
    components: dict[str, str], parameters: dict[str, str], named: str
) -> None:
    configuration = AgentConfiguration(components=components, parameters=parameters)
    with pytest.raises(PermanentError, match=named) as refused:
        refuse_secrets(configuration)
    assert not any(part in str(refused.value) for part in ("sk-", "9f8e", "hunter2"))


def test_a_prompt_may_speak_of_passwords_and_tokens() -> None:
    refuse_secrets(
        AgentConfiguration(
            components={"instructions": "Forgotten password: ask the customer to reset it."},
            parameters={"max_tokens": 800, "temperature": 0.0},
        )
    )
