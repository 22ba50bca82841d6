"""Read the state of agents from the store."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import date, datetime
from typing import Any

from spanloop.optimizer import releases as releasing
from spanloop.optimizer import strategies as library
from spanloop.optimizer.context import COMPARABLE_COMPLETENESS, Context, time_of, unix_text
from spanloop.processor.errors import PermanentError
from spanloop.service.candidates import CandidateExplorer, CandidateFilter
from spanloop.service.experiments import ExperimentExplorer
from spanloop.service.exploring import Explorer
from spanloop.service.report import shaping
from spanloop.service.report.model import (
    AgentState,
    Asked,
    Experiment,
    Pattern,
    Report,
    Row,
    Story,
)
from spanloop.service.report.text import line, quoted
from spanloop.service.strategies import summary, told_trial

MS_PER_DAY = 86_400_000
MOST_AGENTS = 12
MOST_PATTERNS = 8
MOST_STORIES = 5
MOST_EXPERIMENTS = 12
MOST_CYCLES = 3
MOST_EVENTS = 20
MOST_TRIALS = 20
MOST_STRATEGIES = 20
MOST_CANDIDATES = 10_000
LOOP = ("experiments", "releases", "events", "trials", "curve", "candidates")
"""Fields of an agent's state that tell what the loop did for it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadingContext(Context):
    """A context that only reads, also through an SQL endpoint, which bounds statements itself."""

    @property
    def settings(self) -> dict[str, Any]:
        """None of ours: an endpoint takes no bounds from its callers."""
        return {}


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportReader(Explorer):
    """Answers what a report asks; reads, and writes nothing."""

    def report(self, asked: Asked) -> Report:
        """Return the state of the agents that are asked for.

        Raises:
            PermanentError: an agent is named that has no traffic in these days.
        """
        (newest,) = self._rows("select_report_newest")
        if not newest["traffic_ms"]:
            return _nothing(asked)
        until_ms = newest["until_ms"] if asked.until_ms is None else asked.until_ms
        since_ms = max(until_ms - asked.days * MS_PER_DAY, 0)
        span = {"since": unix_text(since_ms), "until": unix_text(until_ms)}
        traffic = self._rows(
            "select_report_traffic",
            agent=asked.agent,
            completeness=COMPARABLE_COMPLETENESS,
            **span,
        )
        if asked.agent and not traffic:
            raise PermanentError(
                f"agent {asked.agent!r} had no conversation in the {asked.days} days before "
                f"{time_of(until_ms):%Y-%m-%d %H:%M}; ask for more --days, or see `spanloop trajectories`"
            )
        until = time_of(until_ms)
        return Report(
            since=time_of(since_ms),
            until=until,
            days=asked.days,
            analysed=None if newest["analysed_ms"] is None else time_of(newest["analysed_ms"]),
            agents=[self._agent(row, span, until) for row in traffic[:MOST_AGENTS]],
            agents_more=[line(row["agent"] or "(unnamed)", 60) for row in traffic[MOST_AGENTS:]],
            strategies=self._strategies(),
            notes=shaping.shown_notes(self._rows("select_report_notes")),
        )

    def _agent(self, traffic: Row, span: Mapping[str, str], until: datetime) -> AgentState:
        agent = traffic["agent"]
        asked = {"agent": agent, **span}
        patterns = self._rows("select_report_patterns", n=1_000, **asked)
        rates = {
            dimension: self._rows("select_report_rates", agent=agent, dimension=dimension)
            for dimension in ("agent", "release", "agent_day")
        }
        seen_here = [row for row in patterns if row["here"]]
        seen: tuple[date, date] = (traffic["first"].date(), traffic["last"].date())
        since = time_of(int(float(span["since"]) * 1000))
        return AgentState(
            agent=line(agent, 80),
            traffic=shaping.named(traffic, "agent", "services"),
            days=self._rows("select_report_days", **asked),
            models=[
                shaping.named(row, "model") for row in self._rows("select_report_models", **asked)
            ],
            rate=shaping.named(rates["agent"][0], "value") if rates["agent"] else None,
            release_rates=[shaping.named(row, "value") for row in rates["release"]],
            day_rates=_days_of(rates["agent_day"], since, until),
            patterns=[
                self._pattern(row, seen, told=k < MOST_STORIES)
                for k, row in enumerate(seen_here[:MOST_PATTERNS])
            ],
            patterns_more=len(seen_here[MOST_PATTERNS:]),
            patterns_unseen=len(patterns) - len(seen_here),
            titles={row["pattern"]: line(row["title"]) for row in patterns},
            # To the statements of the loop '' means any agent; spans that name none are never optimized.
            **(self._loop(agent) if agent else dict.fromkeys(LOOP, ())),
            spending=self._rows("select_report_spending", **asked),
            cycles=self._cycles(agent, span["until"]),
        )

    def _cycles(self, agent: str, until: str) -> Sequence[Row]:
        stages = self._rows("select_report_cycles", agent=agent, until=until, n=MOST_CYCLES)
        return [shaping.named(stage, "agent") for stage in shaping.shown_notes(stages)]

    def _pattern(self, row: Row, days: tuple[date, date], *, told: bool) -> Pattern:
        story = self._story(row) if told and row["example"] else None
        return shaping.shown_pattern(row, story, days)

    def _story(self, row: Row) -> Story:
        found = self.trajectory(row["example"])
        return shaping.shown_story(found, int(row["example_step"]), row["example_evidence"])

    def _experiments(self, agent: str) -> Sequence[Experiment]:
        explorer = ExperimentExplorer(client=self.client, renderer=self.renderer)
        tried = CandidateExplorer(client=self.client, renderer=self.renderer)
        result: list[Experiment] = []
        for row in explorer.experiments(agent=agent, n=MOST_EXPERIMENTS):
            candidate = tried.candidate(row["candidate"]) if row["candidate"] else None
            found = explorer.experiment(row["experiment"])
            result.append(shaping.shown_experiment(found, candidate))
        return result

    def _loop(self, agent: str) -> dict[str, Any]:
        """Return `LOOP`: what the loop did for ``agent``."""
        context = self._context()
        trials = [trial for trial in library.load_trials(context) if trial.agent == agent]
        trials.sort(key=lambda trial: (trial.recorded_at, trial.trial_id), reverse=True)
        tried = CandidateExplorer(client=self.client, renderer=self.renderer)
        candidates = tried.candidates(CandidateFilter(agent=agent, n=MOST_CANDIDATES))
        return {
            "experiments": self._experiments(agent),
            "releases": [
                {
                    "release": r.release_id,
                    "number": r.number,
                    "state": r.state,
                    "share": r.share,
                    "version": line(r.configuration.version, 60),
                    "effect": r.effect,
                    **{f"live_{name}": value for name, value in asdict(r.live).items()},
                    "candidate": r.candidate_id,
                    "experiment": r.experiment_id,
                    "created_at": r.created_at,
                    "activated_at": r.activated_at,
                }
                for r in reversed(releasing.load_releases(context, agent=agent))
            ],
            "events": [
                shaping.shown_event(row)
                for row in reversed(releasing.load_events(context, agent=agent)[-MOST_EVENTS:])
            ],
            "trials": [
                {
                    **shaping.named(told_trial(trial), "agent"),
                    "category": trial.category,
                    "intervention": trial.intervention,
                    "strategy": trial.strategy_id,
                }
                for trial in trials[:MOST_TRIALS]
            ],
            "curve": [
                {
                    **asdict(point),
                    "tokens_per_win": point.tokens_per_win,
                    "experiments_per_win": point.experiments_per_win,
                }
                for point in library.learning_curve(context, agent=agent)
            ],
            "candidates": shaping.counted_candidates(candidates),
        }

    def _strategies(self) -> Sequence[Row]:
        context = self._context()
        trials = library.load_trials(context)
        shown: list[Row] = []
        for strategy in library.load_strategies(context)[:MOST_STRATEGIES]:
            own = [trial for trial in trials if trial.strategy_id == strategy.strategy_id]
            shown.append(
                {
                    **summary(strategy, own),
                    "title": line(strategy.title),
                    "applies_when": quoted(strategy.applies_when),
                    "principle": quoted(strategy.principle),
                }
            )
        return shown

    def _context(self) -> Context:
        return ReadingContext(client=self.client, renderer=self.renderer, now_ms=0)


def _days_of(rates: Sequence[Row], since: datetime, until: datetime) -> Sequence[Row]:
    """Return the rates of the report's days, ``value`` being the day alone."""
    first, last = f"{since:%Y-%m-%d}", f"{until:%Y-%m-%d}"
    days = [{**row, "value": row["value"][:10]} for row in rates]
    return [row for row in days if first <= row["value"] <= last]


def _nothing(asked: Asked) -> Report:
    return Report(
        since=None,
        until=None,
        days=asked.days,
        analysed=None,
        agents=(),
        agents_more=(),
        strategies=(),
        notes=(),
    )
