"""Feedback → ``assessments``: find it in what arrived, read it by the rules, give its numbers a scale.

Each carrier has one statement (``sql/find_*.sql``) that says where results stand and what they tell of; all
fill ``feedback_found``. What a result means is decided once, for every carrier (``sql/read_found.sql``).
"""

import contextlib
import re
from collections.abc import Callable, Generator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from spanloop.optimizer.context import Context, unix_text
from spanloop.optimizer.feedback.rules import PARAMETERS
from spanloop.optimizer.statements import statement
from spanloop.processor.feedback import LATEST, Feedback

CARRIERS = (
    "feedback/find_log_events",
    "feedback/find_span_events",
    "feedback/find_evaluation_spans",
    "feedback/find_annotation_spans",
    "feedback/find_plain_attributes",
)
_STAGING = {
    "feedback_found": "create_found",
    "feedback_read": "create_read",
    "feedback_scales": "create_scales",
    "feedback_answers": "create_answers",
}
_NAMED = re.compile(r"\{(\w+):")


@dataclass(frozen=True, slots=True, kw_only=True)
class FeedbackResult:
    """What an extraction read; a result seen again counts again.

    Attributes:
        found: results read, over all carriers.
        feedback: of them, what users said.
        outcomes: observed outcomes.
        evaluations: automatic evaluations.
        retracted: withdrawals.
        untargeted: left out, because they name no trace or conversation (or several).
        unscaled: numbers whose scale is unknown or that lie outside it: they say nothing about satisfaction.
    """

    found: int = 0
    feedback: int = 0
    outcomes: int = 0
    evaluations: int = 0
    retracted: int = 0
    untargeted: int = 0
    unscaled: int = 0

    @property
    def notes(self) -> Sequence[str]:
        """What was left out, and why."""
        return [
            text
            for n, text in (
                (
                    self.untargeted,
                    f"{self.untargeted} results name no single trace or conversation",
                ),
                (
                    self.unscaled,
                    f"{self.unscaled} numbers of feedback have no known scale or lie outside it",
                ),
            )
            if n
        ]


def extract_feedback(context: Context) -> FeedbackResult:
    """Read the feedback that arrived since the last extraction, all of it at the first."""
    ((since, until),) = context.rows(
        "feedback/select_cursor", {"overlap_s": context.limits.overlap_s}
    )
    with _staging(context):
        for carrier in CARRIERS:
            _run(context, carrier, since=unix_text(since or 0), everything=since is None)
        result = _settle(context)
    _advance(context, datetime.fromtimestamp(until / 1000, UTC), result)
    return result


def record_feedback(
    context: Context,
    items: Sequence[Feedback],
    project: str,
    *,
    redact: Callable[[str], str] = str,
) -> list[str]:
    """Store ``items`` as assessments now, where no server takes them; return their ids.

    With ``redact`` every text is stored as it returns it; who said it is told by a hash, as a receiver does.
    """
    now = datetime.fromtimestamp(context.now_ms / 1000, UTC)
    latest = min(now + timedelta(days=1), LATEST)
    rows = [
        [
            project,
            item.trace_id or "",
            item.span_id or "",
            {key: redact(_text(value)) for key, value in item.attributes().items()},
            "command",
            min(item.timestamp or now, latest),
            now,
        ]
        for item in items
    ]
    columns = ("Project", "TraceId", "SpanId", "Attributes", "Carrier", "Timestamp", "ArrivedAt")
    with _staging(context):
        context.client.insert(
            "feedback_found",
            rows,
            column_names=columns,
            database=context.renderer.settings.database,
        )
        _settle(context)
    return [item.assessment_id(project) for item in items]


def _text(value: str | float | bool) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


@contextlib.contextmanager
def _staging(context: Context) -> Generator[None, None, None]:
    """Make the tables of one extraction, and leave none: they hold what people said."""
    _drop(context)
    try:
        for create in _STAGING.values():
            context.run(f"feedback/{create}")
        yield
    finally:
        _drop(context)


def _drop(context: Context) -> None:
    for table in _STAGING:
        context.client.command(f"DROP TABLE IF EXISTS {context.renderer.table(table)} SYNC")


def _settle(context: Context) -> FeedbackResult:
    ((unanswered, since, until),) = context.rows("feedback/select_unanswered")
    if unanswered:
        _run(context, "feedback/find_answers", since=since, until=until)
    _run(context, "feedback/read_found")
    ((found, *counts),) = context.rows("feedback/select_counts")
    if not found:
        return FeedbackResult()
    for step in ("measure_scales", "insert_rescaled", "insert_assessments"):
        _run(context, f"feedback/{step}")
    ((found, *counts),) = context.rows("feedback/select_counts")
    names = ("feedback", "outcomes", "evaluations", "retracted", "untargeted", "unscaled")
    return FeedbackResult(
        found=int(found), **{n: int(c) for n, c in zip(names, counts, strict=True)}
    )


def _run(context: Context, path: str, **parameters: Any) -> None:
    """Run ``path`` with the rules that it names."""
    named = set(_NAMED.findall(statement(context.renderer, path)))
    rules = {name: value for name, value in PARAMETERS.items() if name in named}
    context.run(path, {**rules, **parameters})


def _advance(context: Context, until: datetime, result: FeedbackResult) -> None:
    counts: Mapping[str, int] = {
        name: n for name in FeedbackResult.__dataclass_fields__ if (n := getattr(result, name))
    }
    context.client.insert(
        "analyses",
        [[str(context.now_ms), "feedback", until, until, until, counts, list(result.notes)]],
        column_names=[
            "AnalysisId",
            "Stage",
            "StartedAt",
            "FinishedAt",
            "Cursor",
            "Counts",
            "Notes",
        ],
        database=context.renderer.settings.database,
    )
