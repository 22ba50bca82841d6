"""The second half of the demo: what fails becomes tested improvements; a second agent learns from a first."""

import contextlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from clickhouse_connect.driver.client import Client

from spanloop.client import ConfigClient
from spanloop.examples.support_agent import (
    AgentConfiguration,
    ModelSettings,
    Progress,
    TelemetrySettings,
    TrafficPlan,
    TrafficSummary,
    run_agent_traffic,
)
from spanloop.optimizer.candidates.stored import BUNDLE
from spanloop.service.candidates import CandidateExplorer, CandidateFilter
from spanloop.service.config import Settings
from spanloop.service.experiments import ExperimentExplorer
from spanloop.service.exploring import Row
from spanloop.service.optimizing import optimize
from spanloop.service.releasing import releases
from spanloop.service.server import Endpoints
from spanloop.service.stores import make_renderer

ACTOR = "demo"


@dataclass(frozen=True, slots=True, kw_only=True)
class Stage:
    """Where the demo plays, and how it tells how far it is."""

    settings: Settings
    endpoints: Endpoints
    client: Client
    model: ModelSettings
    on_stage: Callable[[str], None]
    on_progress: Callable[[Progress], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Improvement:
    """One agent's turn.

    Attributes:
        before: traffic under the configuration that its owner wrote.
        cycle: what the cycle did, as `spanloop optimize --json` prints it.
        candidates: what was proposed, refused ones too.
        experiments: what was tested.
        released: releases that were approved, in order.
        after: traffic under what was released; None = nothing was.
    """

    agent: str
    before: TrafficSummary
    cycle: Mapping[str, Any]
    candidates: Sequence[Row]
    experiments: Sequence[Row]
    released: Sequence[Row]
    after: TrafficSummary | None

    @property
    def shipped(self) -> Sequence[Row]:
        """Edits that the gate let through, one by one or as members of a bundle."""
        return [
            candidate
            for candidate in self.candidates
            if candidate["state"] == "shipped" and candidate["engine"] != BUNDLE
        ]

    @property
    def tokens(self) -> int:
        """Spent by the cycle."""
        return int(self.cycle["whole"]["tokens"])


def begin(
    stage: Stage, configuration: AgentConfiguration, *, conversations: int, seed: int
) -> TrafficSummary:
    """Serve users under what the agent's owner wrote."""
    stage.on_stage(f"{configuration.name} serves users on a scripted model")
    register(stage, configuration)
    return serve_users(stage, configuration, conversations=conversations, seed=seed)


def improve(
    stage: Stage, configuration: AgentConfiguration, before: TrafficSummary, *, seed: int
) -> Improvement:
    """Run a cycle, release what is proven, and serve other users (by ``seed``) under it."""
    agent = configuration.name
    cycle = optimize(
        stage.settings,
        lambda name, total, done: stage.on_stage(f"{agent}: {name} {done or ''}"),
        [agent],
    )
    released = approve(stage, agent)
    after = None
    if released:
        stage.on_stage(f"{agent} serves other users under what was released")
        after = serve_users(
            stage, configuration, conversations=max(27, before.conversations // 4), seed=seed
        )
    renderer = make_renderer(stage.settings)
    return Improvement(
        agent=agent,
        before=before,
        cycle=cycle,
        candidates=CandidateExplorer(client=stage.client, renderer=renderer).candidates(
            CandidateFilter(agent=agent, n=100)
        ),
        experiments=ExperimentExplorer(client=stage.client, renderer=renderer).experiments(
            agent=agent, n=100
        ),
        released=released,
        after=after,
    )


def register(stage: Stage, configuration: AgentConfiguration) -> None:
    """Tell spanloop what the agent's owner runs."""
    releases(
        stage.settings,
        "register",
        agent=configuration.name,
        actor=ACTOR,
        project=stage.settings.project,
        configuration=configuration.model_dump(
            mode="json", include={"components", "tools", "parameters", "version"}
        ),
    )


def serve_users(
    stage: Stage, configuration: AgentConfiguration, *, conversations: int, seed: int
) -> TrafficSummary:
    """Let scripted users talk to the agent under the release that spanloop serves."""
    client = ConfigClient(f"http://{_host(stage.endpoints.http)}", configuration.name)
    with contextlib.closing(client):
        return run_agent_traffic(
            TelemetrySettings(endpoint=f"http://{_host(stage.endpoints.grpc)}"),
            model=stage.model,
            plan=TrafficPlan(
                conversations=conversations,
                seed=seed,
                configuration=configuration,
                client=client,
            ),
            on_progress=stage.on_progress,
        )


def approve(stage: Stage, agent: str) -> Sequence[Row]:
    """Approve what the gate ships, as a person would with `spanloop releases approve`."""
    proposed = [
        release
        for release in releases(stage.settings, "list", agent=agent)
        if release["state"] == "proposed"
    ]
    return [
        releases(
            stage.settings,
            "approve",
            release=release["release"],
            actor=ACTOR,
            reason="the gate says ship",
            share=1.0,
        )
        for release in sorted(proposed, key=lambda release: release["number"])
    ]


def _host(endpoint: str | None) -> str:
    assert endpoint is not None  # the demo's settings open every door
    return endpoint.rpartition("://")[2]
