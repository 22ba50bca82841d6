"""The library as rows of ``strategies`` and ``strategy_trials``."""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from pydantic import TypeAdapter

from spanloop.optimizer.candidates.candidate import Edit
from spanloop.optimizer.context import Context, time_of
from spanloop.optimizer.strategies.distilling import Win, distil
from spanloop.optimizer.strategies.library import Library
from spanloop.optimizer.strategies.standing import restated
from spanloop.optimizer.strategies.strategy import Strategy, Trial, Validity
from spanloop.processor.redaction import redact

STRATEGY_COLUMNS = (
    "StrategyId",
    "Project",
    "Title",
    "Category",
    "Intervention",
    "AppliesWhen",
    "NotWhen",
    "Principle",
    "EditTemplate",
    "Source",
    "OriginAgent",
    "OriginExperiment",
    "State",
    "CreatedAt",
    "Version",
)
TRIAL_COLUMNS = (
    "TrialId",
    "StrategyId",
    "Project",
    "AgentName",
    "PatternId",
    "Category",
    "Intervention",
    "ExperimentId",
    "Verdict",
    "Effect",
    "EffectLow",
    "EffectHigh",
    "SideEffect",
    "SideEffectLow",
    "SideEffectHigh",
    "N",
    "Harm",
    "Transferred",
    "SurvivedFresh",
    "ModelHash",
    "PromptHash",
    "ToolsHash",
    "Tokens",
    "CostUsd",
    "RecordedAt",
    "Version",
)

EDITS = TypeAdapter(tuple[Edit, ...])


def load_library(context: Context, *, before: datetime | None = None) -> Library:
    """Return the library as stored, as of the context's time, or as it was ``before`` a time."""
    trials = load_trials(context)
    return Library(
        [trial for trial in trials if before is None or trial.recorded_at < before],
        load_strategies(context),
        now=before or time_of(context.now_ms),
    )


def load_strategies(context: Context) -> list[Strategy]:
    """Return all entries, ordered by id."""
    return [
        _strategy(dict(zip(STRATEGY_COLUMNS, row, strict=True)))
        for row in context.rows("strategies/select_strategies")
    ]


def load_trials(context: Context) -> list[Trial]:
    """Return all trials in the order of time."""
    return [
        _trial(dict(zip(TRIAL_COLUMNS, row, strict=True)))
        for row in context.rows("strategies/select_trials")
    ]


def save_strategies(context: Context, strategies: Iterable[Strategy]) -> None:
    """Write ``strategies`` as new versions, redacted, all or none."""
    known = {row[0]: int(row[-1]) for row in context.rows("strategies/select_strategies")}
    rows = [
        _strategy_row(s, max(context.now_ms, known.get(s.strategy_id, 0) + 1)) for s in strategies
    ]
    context.insert("strategies", rows)


def record_trials(context: Context, trials: Iterable[Trial]) -> None:
    """Store ``trials``; a trial stored again under its id takes the place of the first."""
    known = {row[0]: int(row[-1]) for row in context.rows("strategies/select_trials")}
    rows = [_trial_row(t, max(context.now_ms, known.get(t.trial_id, 0) + 1)) for t in trials]
    context.insert("strategy_trials", rows)


def record_trial(context: Context, trial: Trial) -> None:
    """Store one trial, as `record_trials`."""
    record_trials(context, [trial])


def keep_win(context: Context, win: Win) -> Strategy:
    """Store the insight of ``win`` and link its trial to it; an insight that is known keeps its words.

    A win of an entry of the library is further evidence of that entry, not a new one.
    """
    known = {strategy.strategy_id: strategy for strategy in load_strategies(context)}
    if win.trial.strategy_id in known:
        return known[win.trial.strategy_id]
    strategy = distil(win)
    if strategy.strategy_id not in known:
        save_strategies(context, [strategy])
    origin = known.get(strategy.strategy_id, strategy).origin_agent
    record_trial(
        context,
        replace(
            win.trial,
            strategy_id=strategy.strategy_id,
            transferred=origin != win.trial.agent,
        ),
    )
    return known.get(strategy.strategy_id, strategy)


def restate(context: Context, now: Mapping[str, Validity]) -> Sequence[Strategy]:
    """Store the state that evidence gives to each entry; return those that changed.

    Args:
        context: of the store.
        now: what agents run on; all that are known at once, since an entry is doubtful when all have changed.
    """
    moved = restated(load_strategies(context), load_trials(context), now)
    save_strategies(context, moved)
    return moved


def _strategy_row(strategy: Strategy, version: int) -> dict[str, Any]:
    edits = [
        edit.model_copy(update={"passage": redact(edit.passage), "text": redact(edit.text)})
        for edit in strategy.edit_template
    ]
    return {
        "StrategyId": strategy.strategy_id,
        "Project": strategy.project,
        "Title": redact(strategy.title),
        "Category": strategy.category,
        "Intervention": strategy.intervention,
        "AppliesWhen": redact(strategy.applies_when),
        "NotWhen": redact(strategy.not_when),
        "Principle": redact(strategy.principle),
        "EditTemplate": json.dumps([edit.model_dump() for edit in edits]) if edits else "",
        "Source": strategy.source,
        "OriginAgent": strategy.origin_agent,
        "OriginExperiment": strategy.origin_experiment,
        "State": strategy.state,
        "CreatedAt": strategy.created_at,
        "Version": version,
    }


def _strategy(row: Mapping[str, Any]) -> Strategy:
    return Strategy(
        strategy_id=row["StrategyId"],
        project=row["Project"],
        title=row["Title"],
        category=row["Category"],
        intervention=row["Intervention"],
        applies_when=row["AppliesWhen"],
        not_when=row["NotWhen"],
        principle=row["Principle"],
        edit_template=EDITS.validate_json(row["EditTemplate"] or "[]"),
        source=row["Source"],
        origin_agent=row["OriginAgent"],
        origin_experiment=row["OriginExperiment"],
        state=row["State"],
        created_at=_utc(row["CreatedAt"]),
    )


def _trial_row(trial: Trial, version: int) -> dict[str, Any]:
    return {
        "TrialId": trial.trial_id,
        "StrategyId": trial.strategy_id,
        "Project": trial.project,
        "AgentName": trial.agent,
        "PatternId": trial.pattern_id,
        "Category": trial.category,
        "Intervention": trial.intervention,
        "ExperimentId": trial.experiment_id,
        "Verdict": trial.verdict,
        "Effect": trial.effect,
        "EffectLow": trial.effect_low,
        "EffectHigh": trial.effect_high,
        "SideEffect": trial.side_effect,
        "SideEffectLow": trial.side_effect_low,
        "SideEffectHigh": trial.side_effect_high,
        "N": trial.n,
        "Harm": int(trial.harm),
        "Transferred": int(trial.transferred),
        "SurvivedFresh": None if trial.survived_fresh is None else int(trial.survived_fresh),
        "ModelHash": trial.validity.model_hash,
        "PromptHash": trial.validity.prompt_hash,
        "ToolsHash": trial.validity.tools_hash,
        "Tokens": trial.tokens,
        "CostUsd": trial.cost_usd,
        "RecordedAt": trial.recorded_at,
        "Version": version,
    }


def _trial(row: Mapping[str, Any]) -> Trial:
    survived = row["SurvivedFresh"]
    return Trial(
        trial_id=row["TrialId"],
        strategy_id=row["StrategyId"],
        project=row["Project"],
        agent=row["AgentName"],
        pattern_id=row["PatternId"],
        category=row["Category"],
        intervention=row["Intervention"],
        experiment_id=row["ExperimentId"],
        verdict=row["Verdict"],
        effect=row["Effect"],
        effect_low=row["EffectLow"],
        effect_high=row["EffectHigh"],
        side_effect=row["SideEffect"],
        side_effect_low=row["SideEffectLow"],
        side_effect_high=row["SideEffectHigh"],
        n=int(row["N"]),
        harm=bool(row["Harm"]),
        transferred=bool(row["Transferred"]),
        survived_fresh=None if survived is None else bool(survived),
        validity=Validity(
            model_hash=row["ModelHash"], prompt_hash=row["PromptHash"], tools_hash=row["ToolsHash"]
        ),
        tokens=int(row["Tokens"]),
        cost_usd=row["CostUsd"],
        recorded_at=_utc(row["RecordedAt"]),
    )


def _utc(moment: datetime) -> datetime:
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
