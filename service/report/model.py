"""What a report holds: facts, redacted and capped, as `--json` prints them and the page shows them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

Row = dict[str, Any]
"""One row of facts; None = unknown."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What a report is wanted of.

    Attributes:
        agent: its name; '' = all, those with most traffic first.
        days: before ``until_ms``.
        until_ms: Unix milliseconds; None = when something last happened in the store, so that the same store
            tells the same whenever it is asked.
    """

    agent: str = ""
    days: int = 30
    until_ms: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One step of a conversation that tells a pattern.

    Attributes:
        step: its number, from 1.
        who: user, assistant, or the tool.
        parts: what was said, the arguments, the result.
        error: '' = none, else its type.
        looks: symptoms seen at it.
        mark: ``deviating`` (the first that went wrong), ``evidence`` (it shows the pattern) or ''.
        before: steps left out between the one shown before and this one.
    """

    step: int
    who: str
    kind: str
    parts: Sequence[str]
    error: str
    looks: Sequence[str]
    mark: str
    before: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Story:
    """The conversation that tells a pattern best; ``after``: steps left out at its end."""

    trajectory: str
    start: datetime
    satisfaction: float | None
    n_steps: int
    steps: Sequence[Step]
    after: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Pattern:
    """One failure pattern as the agent shows it.

    Attributes:
        facts: columns of ``failure_patterns``.
        here: members of this agent in the days of the report.
        daily: of them by day, oldest first, one entry a day.
        story: None where no member lies in these days.
    """

    facts: Row
    here: int
    daily: Sequence[tuple[date, int]]
    story: Story | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Experiment:
    """One experiment: facts, every look, both arms, what was tried."""

    facts: Row
    looks: Sequence[Row]
    arms: Sequence[Row]
    candidate: Row | None


@dataclass(frozen=True, slots=True, kw_only=True)
class AgentState:
    """The state of one agent.

    Attributes:
        agent: its name; '' = spans that name none.
        traffic: of the days of the report.
        days: traffic by day.
        models: what it used.
        rate: satisfaction as last estimated, over all that is stored; None = no analysis yet.
        release_rates: the same of its releases, by first use.
        day_rates: the same of its days.
        patterns: those seen in these days, the most harmful first.
        patterns_more: how many of those are not shown.
        patterns_unseen: how many it showed before these days only.
        titles: pattern id → title, of all of them.
        experiments: newest first.
        releases: newest first.
        events: their audit trail, newest first.
        trials: measured outcomes, newest first.
        curve: cycles that experimented, oldest first.
        spending: of spanloop itself.
        candidates: counts by state and reason.
        cycles: stages of the newest cycles.
    """

    agent: str
    traffic: Row
    days: Sequence[Row]
    models: Sequence[Row]
    rate: Row | None
    release_rates: Sequence[Row]
    day_rates: Sequence[Row]
    patterns: Sequence[Pattern]
    patterns_more: int
    patterns_unseen: int
    titles: Mapping[str, str]
    experiments: Sequence[Experiment]
    releases: Sequence[Row]
    events: Sequence[Row]
    trials: Sequence[Row]
    curve: Sequence[Row]
    spending: Sequence[Row]
    candidates: Sequence[Row]
    cycles: Sequence[Row]


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """The state of a store's agents.

    Attributes:
        since: begin of the days it is about; None = there is no traffic.
        until: their end.
        days: how many.
        analysed: when the newest analysis ended; None = never.
        agents: those with most traffic first.
        agents_more: names of agents that are not shown.
        strategies: the library, of all agents.
        notes: what the newest analysis left out.
    """

    since: datetime | None
    until: datetime | None
    days: int
    analysed: datetime | None
    agents: Sequence[AgentState]
    agents_more: Sequence[str]
    strategies: Sequence[Row]
    notes: Sequence[Row]
