"""Run an analysis on the configured store: inside the server that owns it, or here if nobody does."""

import contextlib
from collections.abc import Generator, Mapping
from dataclasses import asdict
from typing import Any

from spanloop.exporter.lock import DirectoryLock, read_owner
from spanloop.exporter.migrate import migrate
from spanloop.exporter.render import Renderer
from spanloop.exporter.store import Store, with_client
from spanloop.optimizer.analysis import AnalysisReport, Judging, run_analysis
from spanloop.optimizer.models import ModelSettings
from spanloop.optimizer.models.litellm_model import LiteLlmModel
from spanloop.processor.errors import PermanentError
from spanloop.service.admin_calls import stream
from spanloop.service.config import Analysis, Settings
from spanloop.service.contexts import Reported, make_context
from spanloop.service.jobs import OnEvent
from spanloop.service.stores import make_renderer, open_store


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
    owner = read_owner(settings.data_dir) if settings.store.dsn is None else {}
    if owner:
        return _ask_owner(owner, on_event)
    if settings.store.dsn is None and not (settings.data_dir / "db").is_dir():
        raise PermanentError(
            f"there is no store in {settings.data_dir}; name it with --data-dir or -c"
        )
    renderer = make_renderer(settings)
    with _opened(settings) as store:
        with_client(store, lambda client: migrate(client, renderer))
        return as_answer(analyze_store(store, renderer, settings, on_event))


def as_answer(report: AnalysisReport) -> dict[str, Any]:
    """Return a report as JSON types."""
    return {"analysis_id": report.analysis_id, "stages": [asdict(stage) for stage in report.stages]}


def _ask_owner(owner: Mapping[str, Any], on_event: OnEvent) -> Mapping[str, Any]:
    if "admin" not in owner:
        raise PermanentError("the process that owns the store is still starting; try again")
    for event in stream(str(owner["admin"]), "analyze"):
        if "result" in event:
            answer: dict[str, Any] = event["result"]
            return answer
        on_event(event["stage"], event["total"], event["done"])
    raise PermanentError("the running server ended before the analysis did")


@contextlib.contextmanager
def _opened(settings: Settings) -> Generator[Store, None, None]:
    with contextlib.ExitStack() as stack:
        if settings.store.dsn is None:
            stack.callback(DirectoryLock(settings.data_dir).close)
        store = open_store(settings)
        stack.callback(store.close)
        yield store
