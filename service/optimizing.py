"""Builds what a cycle is run with from the configuration, and runs it where the store is."""

import asyncio
import contextlib
import importlib
import inspect
from collections.abc import Callable, Generator, Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from clickhouse_connect.driver.client import Client
from opentelemetry.sdk.trace.export import SpanExporter

from spanloop.exporter.render import Renderer
from spanloop.exporter.store import Store, with_client
from spanloop.optimizer.analysis import run_analysis
from spanloop.optimizer.candidates import TemplateEngine
from spanloop.optimizer.candidates.candidate import CandidateEngine
from spanloop.optimizer.candidates.command_engine import CommandEngine, CommandSettings
from spanloop.optimizer.candidates.gepa_engine import GepaEngine, Player
from spanloop.optimizer.candidates.model_diff_engine import ModelDiffEngine
from spanloop.optimizer.context import Context, unix_ms
from spanloop.optimizer.cycle.cycle import CycleReport, run_cycle
from spanloop.optimizer.cycle.ledger import Caps
from spanloop.optimizer.cycle.parts import (
    Agent,
    CycleParts,
    CycleSettings,
    Procedure,
)
from spanloop.optimizer.cycle.state import Unavailable
from spanloop.optimizer.experiments.assessing import Assessor
from spanloop.optimizer.experiments.parts import ExperimentParts
from spanloop.optimizer.experiments.production import (
    ModelJudge,
    ProductionAssessor,
    freeze_assessor,
)
from spanloop.optimizer.gate import GateSettings
from spanloop.optimizer.models import Lease, ModelSettings
from spanloop.optimizer.models.cache import ReplyCache
from spanloop.optimizer.models.chat import LiteLlmChat
from spanloop.optimizer.models.guarded import GuardedChat
from spanloop.optimizer.models.litellm_model import LiteLlmModel
from spanloop.optimizer.models.rate_limit import RateLimiter, RateLimits
from spanloop.optimizer.releases import LiveSettings
from spanloop.optimizer.replay.beyond import Beyond, LiveTools, Synthesiser, Tool
from spanloop.optimizer.replay.emission import BatchingEmitter
from spanloop.optimizer.replay.episode import Target
from spanloop.optimizer.replay.http_target import HttpTarget
from spanloop.optimizer.replay.model_user import model_user
from spanloop.optimizer.replay.python_target import PythonTarget
from spanloop.optimizer.replay.recovery import recover
from spanloop.optimizer.replay.replay_target import ReplayTarget
from spanloop.optimizer.replay.stored_spans import StoredSpans, look_in
from spanloop.optimizer.replay.users import UserFactory, scripted_user
from spanloop.optimizer.scenarios.settings import ScenarioSettings
from spanloop.optimizer.strategies import LibraryEngine
from spanloop.processor.errors import ConfigError
from spanloop.service.admin_calls import follow
from spanloop.service.analyzing import make_judging
from spanloop.service.config import Settings
from spanloop.service.contexts import Reported, make_context
from spanloop.service.jobs import OnEvent
from spanloop.service.optimizer_config import AgentTarget, ModelRole
from spanloop.service.owning import admin_socket, need_store
from spanloop.service.releasing import live_settings
from spanloop.service.thread import ServerThread


def model_settings(role: ModelRole) -> ModelSettings | None:
    """Return the settings of a role's model, None where none is named."""
    if role.model is None:
        return None
    return ModelSettings(
        model=role.model,
        api_base=role.api_base,
        api_key=role.api_key.get_secret_value() if role.api_key else None,
        timeout_s=role.timeout_s,
        max_retries=role.max_retries,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Doors:
    """What of the running server an experiment uses."""

    exporter: SpanExporter
    replies: Path


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """A running server's store, and what experiments use of it."""

    store: Store
    renderer: Renderer
    doors: Doors


class ConfiguredPlayers:
    """Targets and assessors as configured."""

    def __init__(self, settings: Settings, doors: Doors) -> None:
        self._settings = settings
        self._doors = doors
        experiments = settings.optimizer.experiments
        self._limiter = RateLimiter(
            RateLimits(
                in_flight=experiments.concurrency,
                requests_a_minute=experiments.requests_a_minute,
            )
        )

    @cached_property
    def _emitter(self) -> BatchingEmitter:
        return BatchingEmitter(self._doors.exporter)

    @cached_property
    def _cache(self) -> ReplyCache:
        return ReplyCache(self._doors.replies, now_ms=unix_ms)

    def testing(self, agent: Agent) -> Procedure:
        """Return how an agent's candidates are tested; raises Unavailable."""
        section, target = self._settings.optimizer.experiments, self._target(agent)
        if target.target == "replay" and self._settings.optimizer.models.agent.model is None:
            raise Unavailable(
                f"no candidate was tested: name the model of {agent.name!r} in optimizer.models.agent.model, "
                f"or how to reach it in optimizer.agents"
            )
        return Procedure(
            target=target.target,
            gate=GateSettings(
                alpha=section.alpha,
                look_every=section.look_every,
                cap=section.max_scenarios * section.repeats,
                gold_share=section.gold_share,
                min_effect=section.min_effect,
                max_cost_ratio=section.max_cost_ratio,
                max_latency_ratio=section.max_latency_ratio,
            ),
            repeats=section.repeats,
            max_steps=target.max_steps,
            timeout_s=target.timeout_s,
        )

    def parts(
        self, context: Context, agent: Agent, *, lease: Lease, as_of_ms: int
    ) -> ExperimentParts:
        """Return target and assessor of an agent's experiments."""
        judging = make_judging(self._settings.analysis)
        return ExperimentParts(
            target=self._make_target(context, agent, lease),
            assessor=ProductionAssessor(
                context,
                freeze_assessor(context, as_of_ms=as_of_ms),
                judge=ModelJudge(model=judging.model, lease=lease) if judging else None,
            ),
            lease=lease,
            limiter=self._limiter,
            scenarios_a_round=self._settings.optimizer.experiments.scenarios_a_round,
            recover=lambda run_ids: recover(context, run_ids),
        )

    def second(self, context: Context, *, lease: Lease, as_of_ms: int) -> Assessor | None:
        """Return who judges winners again; None if no second judge is named."""
        model = model_settings(self._settings.optimizer.models.second_judge)
        if model is None:
            return None
        return ProductionAssessor(
            context,
            freeze_assessor(context, as_of_ms=as_of_ms),
            second=ModelJudge(model=LiteLlmModel(model), lease=lease),
        )

    def close(self) -> None:
        """Close what was opened."""
        if "_cache" in self.__dict__:
            self._cache.close()

    def _target(self, agent: Agent) -> AgentTarget:
        return self._settings.optimizer.agents.get(agent.name, AgentTarget())

    def _make_target(self, context: Context, agent: Agent, lease: Lease) -> Target:
        section, models = self._target(agent), self._settings.optimizer.models
        emitter, user = self._emitter, self._user(lease)
        if section.target == "replay":
            return ReplayTarget(
                model=self._chat(models.agent, lease),
                emitter=emitter,
                user=user,
                beyond=self._beyond(section, lease),
            )
        ports: Mapping[str, Any] = {
            "emitter": emitter,
            "limiter": self._limiter,
            "spans": StoredSpans(look_in(context)),
            "user": user,
        }
        if section.target == "http":
            assert section.url is not None  # the settings see to it
            return HttpTarget(section.url, **ports)
        assert section.callable is not None
        return PythonTarget(section.callable, **ports)

    def _user(self, lease: Lease) -> UserFactory:
        role = self._settings.optimizer.models.user
        return scripted_user if role.model is None else model_user(self._chat(role, lease))

    def _beyond(self, section: AgentTarget, lease: Lease) -> Sequence[Beyond]:
        live = {name: load_tool(path) for name, path in section.live_tools.items()}
        made_up = [Synthesiser(self._chat(self._settings.optimizer.models.agent, lease))]
        return [*([LiveTools(live)] if live else []), *(made_up if section.synthesise else [])]

    def _chat(self, role: ModelRole, lease: Lease) -> GuardedChat:
        settings = model_settings(role)
        assert settings is not None  # whoever asks has looked
        return GuardedChat(
            model=LiteLlmChat(settings), lease=lease, limiter=self._limiter, cache=self._cache
        )


def load_tool(path: str) -> Tool:
    """Return the tool ``module:callable``: JSON text of arguments in, text out; plain or async.

    Raises:
        ConfigError: there is none.
    """
    module, _, name = path.partition(":")
    try:
        function: Callable[[str], Any] = getattr(importlib.import_module(module), name)
    except (ImportError, AttributeError, ValueError) as error:
        raise ConfigError(
            f"live tool {path!r} cannot be imported: {type(error).__name__}"
        ) from error

    async def call(arguments: str) -> str:
        if inspect.iscoroutinefunction(function):
            return str(await function(arguments))
        return str(await asyncio.to_thread(function, arguments))

    return call


def make_parts(
    settings: Settings, players: ConfiguredPlayers, agents: Sequence[str] = ()
) -> CycleParts:
    """Return what a cycle is run with."""
    section = settings.optimizer
    budget = section.budget
    return CycleParts(
        analyse=lambda context: _analyse(context, settings),
        engines=lambda library, player: _engines(settings, library, player),
        players=players,
        settings=CycleSettings(
            seed=settings.analysis.seed,
            agents=tuple(agents),
            fewest_trajectories=section.fewest_trajectories,
            patterns=section.candidates.patterns_a_cycle,
            screen_scenarios=section.candidates.screen_scenarios,
            edits_a_test=section.candidates.edits_a_test,
            tests=section.candidates.tests_a_cycle,
            scenarios=ScenarioSettings(
                trajectories_a_scenario=section.scenarios.trajectories_a_scenario,
                most=section.scenarios.most,
            ),
            live=LiveSettings(**live_settings(settings)),
            caps=Caps(
                tokens=budget.max_tokens,
                usd=budget.max_usd,
                tokens_a_day=budget.max_tokens_a_day,
                usd_a_day=budget.max_usd_a_day,
            ),
        ),
    )


def optimize_store(
    place: Place, settings: Settings, agents: Sequence[str], *, on_event: OnEvent
) -> CycleReport:
    """Run a cycle on a store that this process owns, for ``agents`` (none = all)."""
    players = ConfiguredPlayers(settings, place.doors)

    def work(client: Client) -> CycleReport:
        context = make_context(client, place.renderer, settings, Reported(on_event))
        return run_cycle(context, make_parts(settings, players, agents))

    try:
        return with_client(place.store, work)
    finally:
        players.close()


def optimize(
    settings: Settings, on_event: OnEvent, agents: Sequence[str] = ()
) -> Mapping[str, Any]:
    """Run a cycle in the server that owns the store; without one, a server is started for it.

    Raises:
        PermanentError: there is no store, or its owner refuses.
    """
    return in_server(settings, "optimize", on_event, agents=list(agents))


def in_server(
    settings: Settings, job: str, on_event: OnEvent, **arguments: object
) -> Mapping[str, Any]:
    """Run a job in the server that owns the store, as `optimize` does.

    Raises:
        PermanentError: there is no store, or its owner refuses.
    """
    need_store(settings)
    with _server_of(settings) as socket:
        return follow(socket, job, on_event, **arguments)


def as_answer(report: CycleReport) -> dict[str, Any]:
    """Return a report as JSON types."""
    return asdict(report)


@contextlib.contextmanager
def _server_of(settings: Settings) -> Generator[str, None, None]:
    socket = admin_socket(settings)
    if socket is not None:
        yield socket
        return
    with ServerThread(for_the_loop(settings)):
        started = admin_socket(settings)
        assert started is not None
        yield started


def for_the_loop(settings: Settings) -> Settings:
    """Return settings of a server that lives for one cycle: only its own operator reaches it.

    Agents outside send their spans to the configured ports, and fetch what they are to run there.
    """
    if any(agent.target != "replay" for agent in settings.optimizer.agents.values()):
        return settings
    receiver = settings.receiver
    return settings.model_copy(
        update={
            "receiver": receiver.model_copy(
                update={
                    "grpc": receiver.grpc.model_copy(update={"enabled": False}),
                    "http": receiver.http.model_copy(update={"enabled": False}),
                }
            ),
            "sql": settings.sql.model_copy(update={"enabled": False}),
            "jaeger": settings.jaeger.model_copy(update={"enabled": False}),
        }
    )


def _analyse(context: Context, settings: Settings) -> Mapping[str, int]:
    report = run_analysis(context, make_judging(settings.analysis))
    return {
        f"{stage.stage}_{name}": n
        for stage in report.stages
        for name, n in stage.counts.items()
        if stage.stage in ("assembly", "patterns")
    }


def _engines(
    settings: Settings, library: LibraryEngine, player: Player
) -> Sequence[CandidateEngine]:
    """Return the configured engines in their order, without those that lack a model or a command."""
    generator = model_settings(settings.optimizer.models.generator)
    command = settings.optimizer.candidates.command
    makers: Mapping[str, Callable[[], CandidateEngine | None]] = {
        "library": lambda: library,
        "template": TemplateEngine,
        "model_diff": lambda: ModelDiffEngine(LiteLlmModel(generator)) if generator else None,
        "gepa": lambda: GepaEngine(LiteLlmModel(generator), player) if generator else None,
        "command": lambda: CommandEngine(CommandSettings(argv=command)) if command else None,
    }
    made = [makers[name]() for name in settings.optimizer.candidates.engines]
    return [engine for engine in made if engine is not None]
