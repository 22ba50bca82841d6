"""Run an analysis on the configured store: inside the server that owns it, or here if nobody does."""

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from spanloop.exporter.migrate import migrate
from spanloop.exporter.render import Renderer
from spanloop.exporter.store import Store, with_client
from spanloop.optimizer.analysis import AnalysisReport, Judging, run_analysis
from spanloop.optimizer.models import ModelSettings
from spanloop.optimizer.models.litellm_model import LiteLlmModel
from spanloop.service.admin_calls import follow
from spanloop.service.config import Analysis, Settings
from spanloop.service.contexts import Reported, make_context
from spanloop.service.jobs import OnEvent
from spanloop.service.owning import admin_socket, need_store, opened_store
from spanloop.service.stores import make_renderer


def analyze_store(
    store: Store, renderer: Renderer, settings: Settings, on_event: OnEvent
) -> AnalysisReport:
    """Analyse a store that this process owns."""
    judging = make_judging(settings.analysis)
    return with_client(
        store,
        lambda client: run_analysis(
            make_context(client, renderer, settings, Reported(on_event)), judging
        ),
    )


def make_judging(section: Analysis) -> Judging | None:
    """Return the configured judge, None without a model."""
    judge = section.judge
    if judge.model is None:
        return None
    key = judge.api_key.get_secret_value() if judge.api_key else None
    return Judging(
        model=LiteLlmModel(
            ModelSettings(
                model=judge.model,
                api_base=judge.api_base,
                api_key=key,
                timeout_s=judge.timeout_s,
            )
        ),
        sample=judge.sample,
        max_tokens=judge.max_tokens,
        max_usd=judge.max_usd,
    )


def analyze(settings: Settings, on_event: OnEvent) -> Mapping[str, Any]:
    """Run an analysis wherever the store is; return what `as_answer` makes of its report.

    Raises:
        PermanentError: there is no store, or its owner refuses.
    """
    # On a database server an analysis runs here, beside the server that receives.
    socket = admin_socket(settings) if settings.store.dsn is None else None
    if socket is not None:
        return follow(socket, "analyze", on_event)
    need_store(settings)
    renderer = make_renderer(settings)
    with opened_store(settings) as store:
        with_client(store, lambda client: migrate(client, renderer))
        return as_answer(analyze_store(store, renderer, settings, on_event))


def as_answer(report: AnalysisReport) -> dict[str, Any]:
    """Return a report as JSON types."""
    return {"analysis_id": report.analysis_id, "stages": [asdict(stage) for stage in report.stages]}
