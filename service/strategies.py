"""The library of strategies by command, wherever the store is owned."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from clickhouse_connect.driver.client import Client

from spanloop.exporter.migrate import migrate
from spanloop.exporter.render import Renderer
from spanloop.exporter.store import with_client
from spanloop.optimizer import strategies as stage
from spanloop.optimizer.context import Context, unix_ms
from spanloop.optimizer.strategies import Record, Strategy, Trial
from spanloop.processor.errors import PermanentError
from spanloop.service.admin_calls import call
from spanloop.service.config import Settings
from spanloop.service.owning import admin_socket, need_store, owned_store
from spanloop.service.stores import make_renderer

Arguments = Mapping[str, Any]
Row = dict[str, Any]

MAX_FILE_BYTES = 10_000_000


def _list(context: Context, arguments: Arguments) -> object:
    trials = stage.load_trials(context)
    category = arguments.get("category", "")
    return [
        summary(strategy, [t for t in trials if t.strategy_id == strategy.strategy_id])
        for strategy in stage.load_strategies(context)
        if category in ("", strategy.category)
    ]


def _show(context: Context, arguments: Arguments) -> object:
    strategy = find(stage.load_strategies(context), arguments["strategy"])
    trials = [t for t in stage.load_trials(context) if t.strategy_id == strategy.strategy_id]
    return {
        **summary(strategy, trials),
        "applies_when": strategy.applies_when,
        "not_when": strategy.not_when,
        "principle": strategy.principle,
        "edits": [edit.model_dump() for edit in strategy.edit_template],
        "origin_agent": strategy.origin_agent,
        "origin_experiment": strategy.origin_experiment,
        "created_at": strategy.created_at.isoformat(),
        "trials": [told_trial(trial) for trial in trials],
    }


def _export(context: Context, _: Arguments) -> object:
    lines = stage.export_lines(stage.load_strategies(context), stage.load_trials(context))
    return list(lines)


def _import(context: Context, arguments: Arguments) -> object:
    """Store what is new; an entry that is known keeps its words, its record and its state."""
    now = datetime.fromtimestamp(context.now_ms / 1000, UTC)
    offered = stage.import_lines(arguments["lines"], now=now, project=arguments["project"])
    known = {strategy.strategy_id for strategy in stage.load_strategies(context)}
    new = [strategy for strategy in offered if strategy.strategy_id not in known]
    stage.save_strategies(context, new)
    return {"imported": len(new), "known": len(offered) - len(new)}


def _curve(context: Context, arguments: Arguments) -> object:
    return [
        {
            **asdict(point),
            "began": point.began.isoformat(),
            "experiments_per_win": point.experiments_per_win,
            "tokens_per_win": point.tokens_per_win,
            "survival": point.survival,
        }
        for point in stage.learning_curve(context, agent=arguments.get("agent", ""))
    ]


STRATEGY_ACTIONS: Mapping[str, Callable[[Context, Arguments], object]] = {
    "list": _list,
    "show": _show,
    "export": _export,
    "import": _import,
    "curve": _curve,
}
"""What `strategies` can be asked to do; arguments and answers are JSON types."""


def strategies_in_store(client: Client, renderer: Renderer, arguments: Arguments) -> object:
    """Do what ``arguments`` ask (``does``) on a store that this process owns."""
    context = Context(client=client, renderer=renderer, now_ms=unix_ms())
    return STRATEGY_ACTIONS[arguments["does"]](context, arguments.get("arguments", {}))


def strategies(settings: Settings, action: str, **arguments: object) -> Any:
    """Do ``action`` wherever the store is owned.

    Raises:
        PermanentError: there is no store, its owner refuses, there is no such strategy, or a file is refused.
    """
    asked = {"does": action, "arguments": arguments}
    socket = admin_socket(settings)
    if socket is not None:
        return call(socket, "strategies", **asked)
    need_store(settings)
    renderer = make_renderer(settings)

    def work(client: Client) -> object:
        migrate(client, renderer)
        return strategies_in_store(client, renderer, asked)

    with owned_store(settings) as store:
        return with_client(store, work)


def read_lines(path: Path) -> list[str]:
    """Read a file that may come from anybody, up to `MAX_FILE_BYTES`.

    Raises:
        PermanentError: it cannot be read, is too large, or is no UTF-8.
    """
    try:
        with path.open("rb") as file:
            content = file.read(MAX_FILE_BYTES + 1)
    except OSError as failure:
        raise PermanentError(f"cannot read {path}: {failure.strerror}") from None
    if len(content) > MAX_FILE_BYTES:
        raise PermanentError(f"{path} is larger than {MAX_FILE_BYTES} bytes")
    try:
        return content.decode().splitlines()
    except UnicodeDecodeError:
        raise PermanentError(f"{path} is not UTF-8") from None


def find(known: Sequence[Strategy], name: str) -> Strategy:
    """Return the one strategy whose id is, or begins with, ``name``.

    Raises:
        PermanentError: none, or several, are called so.
    """
    found = [s for s in known if s.strategy_id == name]
    found = found or [s for s in known if name and s.strategy_id.startswith(name)]
    if not found:
        raise PermanentError(f"there is no strategy {name!r}; list them with `spanloop strategies`")
    if len(found) > 1:
        raise PermanentError(f"several strategies begin with {name!r}; give more of it")
    return found[0]


def summary(strategy: Strategy, trials: Sequence[Trial]) -> Row:
    """Return an entry of the library with its record, as JSON types."""
    return {
        "strategy": strategy.strategy_id,
        "title": strategy.title,
        "category": strategy.category,
        "intervention": strategy.intervention,
        "state": strategy.state,
        "source": strategy.source,
        **_record(stage.record_of(trials)),
    }


def _record(record: Record) -> Row:
    rate, survived = record.transfer_rate, record.survived
    return {
        "trials": record.trials,
        "shipped": record.shipped,
        "harmed": record.harmed,
        "survived": survived.point,
        "survived_of": survived.n,
        "transferred": record.transferred,
        "transfer_rate": rate.point,
        "transfer_low": rate.low,
        "transfer_high": rate.high,
        "tokens": record.tokens,
    }


def told_trial(trial: Trial) -> Row:
    """Return a trial as JSON types."""
    return {
        "at": trial.recorded_at.isoformat(),
        "agent": trial.agent,
        "pattern": trial.pattern_id,
        "experiment": trial.experiment_id,
        "verdict": trial.verdict,
        "effect": trial.effect,
        "effect_low": trial.effect_low,
        "effect_high": trial.effect_high,
        "side_effect": trial.side_effect,
        "side_effect_low": trial.side_effect_low,
        "side_effect_high": trial.side_effect_high,
        "n": trial.n,
        "harm": trial.harm,
        "transferred": trial.transferred,
        "survived_fresh": trial.survived_fresh,
        "tokens": trial.tokens,
        "cost_usd": trial.cost_usd,
        "validity": asdict(trial.validity),
    }
