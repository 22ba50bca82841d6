"""A version of a note as OpenTelemetry's SDK sends it: a span, and the standard log event.

Byte-stable: the same version encodes to the same bytes in every process, so that a viewer takes a repeat for
what it has. No host, no process, no clock, no version of ours stands in it. Nothing of ``gen_ai.usage``, no
model and no operation: a reader would bill it or take it for a generation.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from opentelemetry._logs import LogRecord, SeverityNumber
from opentelemetry.exporter.otlp.proto.common.trace_encoder import encode_spans
from opentelemetry.sdk._logs import ReadableLogRecord
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import Event, ReadableSpan
from opentelemetry.sdk.util.instrumentation import InstrumentationScope
from opentelemetry.trace import (
    Link,
    NonRecordingSpan,
    SpanContext,
    SpanKind,
    Status,
    StatusCode,
    TraceFlags,
    set_span_in_context,
)
from opentelemetry.util.types import AttributeValue

from spanloop.optimizer.annotations.note import RETRACTED, Note, Target, annotation_id
from spanloop.processor.feedback import EVENT, EXPLANATION, LABEL, NAME, SCORE

ANNOTATION_SERVICE = "spanloop-annotations"
WORK_SERVICE = "spanloop"
FORMAT = "1"
"""Version of the scope: of what an annotation looks like. Another look needs other bytes, so another id."""
ANNOTATION_SCOPE = InstrumentationScope("spanloop.annotations", FORMAT)
WORK_SCOPE = InstrumentationScope("spanloop.work", FORMAT)
"""Both are scopes that the processor knows as ours (`spanloop.processor.tagging.OWN_SCOPE`): never mined."""
# Not Resource.create: it adds the SDK's version and what the environment says.
_ANNOTATIONS = Resource({"service.name": ANNOTATION_SERVICE})
_WORK = Resource({"service.name": WORK_SERVICE})
REFERENCE_TYPE = "opentracing.ref_type"
"""Attribute of OpenTelemetry's conventions: how an OpenTracing viewer is to read a link."""
_SAMPLED = TraceFlags(TraceFlags.SAMPLED)


@dataclass(frozen=True, slots=True, kw_only=True)
class Issue:
    """A note as one version of its finding.

    Attributes:
        version: from 1.
        found_ms: what it says when it was found, Unix milliseconds; kept over repeats.
        retracted: the version takes the finding back.
    """

    note: Note
    version: int
    found_ms: int
    retracted: bool = False

    @property
    def span_id(self) -> str:
        """Id of its span, 16 hex characters."""
        return annotation_id(self.note.key, self.version)

    @property
    def supersedes(self) -> str:
        """Span id of the version before, '' if it is the first."""
        return annotation_id(self.note.key, self.version - 1) if self.version > 1 else ""


def span_of(issue: Issue) -> ReadableSpan:
    """Return the span of ``issue``."""
    note = issue.note
    target = note.target
    start_ns, end_ns = note.interval_ns or target.moment_ns
    evaluation = evaluation_attributes(note)
    own = note.kind == "cycle"
    return ReadableSpan(
        name=note.name,
        context=_context(target.trace_id, issue.span_id, remote=False),
        parent=_context(target.trace_id, target.span_id) if target.span_id else None,
        resource=_WORK if own else _ANNOTATIONS,
        attributes=_sorted({**note.attributes, **evaluation, **_own_attributes(issue)}),
        events=[Event(EVENT, _sorted(evaluation), end_ns)] if evaluation else [],
        links=[_link(link, target) for link in note.links],
        kind=SpanKind.INTERNAL,
        # Never ERROR inside an agent's trace: it would turn the trace red.
        status=Status(StatusCode.ERROR if own and note.failed else StatusCode.UNSET),
        start_time=start_ns,
        end_time=end_ns,
        instrumentation_scope=WORK_SCOPE if own else ANNOTATION_SCOPE,
    )


def log_of(issue: Issue) -> ReadableLogRecord | None:
    """Return the standard log event of an evaluation, of the span that it is about; None without one.

    Stamped like the span, so that what looks for the logs of a trace finds it.
    """
    evaluation = evaluation_attributes(issue.note)
    if not evaluation:
        return None
    target = issue.note.target
    _, end_ns = target.moment_ns
    about = NonRecordingSpan(_context(target.trace_id, target.span_id))
    record = LogRecord(
        timestamp=end_ns,
        observed_timestamp=end_ns,
        context=set_span_in_context(about),
        severity_number=SeverityNumber.INFO,
        severity_text="INFO",
        attributes=_sorted({**issue.note.attributes, **evaluation, **_own_attributes(issue)}),
        event_name=EVENT,
    )
    return ReadableLogRecord(record, _ANNOTATIONS, ANNOTATION_SCOPE)


def payload_hash(note: Note) -> str:
    """Return what tells the bytes of a note from others: SHA-256 of its span less version and time, hex."""
    span = span_of(Issue(note=note, version=1, found_ms=0))
    encoded = encode_spans([span]).SerializeToString(deterministic=True)
    return hashlib.sha256(encoded).hexdigest()


def verdict_hash(note: Note) -> str:
    """Return what tells a verdict from others: as `payload_hash`, without what may change and mean nothing.

    That is evidence, and for a note with a tolerance its number and how that came about.
    """
    evaluation = note.evaluation
    if evaluation is not None and note.tolerance is not None:
        evaluation = replace(evaluation, score=None, explanation="")
    return payload_hash(replace(note, links=(), evaluation=evaluation))


def evaluation_attributes(note: Note) -> Mapping[str, AttributeValue]:
    """Return the ``gen_ai.evaluation.*`` attributes of ``note``; empty without an evaluation."""
    evaluation = note.evaluation
    if evaluation is None:
        return {}
    given: Mapping[str, AttributeValue | None] = {
        NAME: evaluation.name,
        SCORE: evaluation.score,
        LABEL: evaluation.label or None,
        EXPLANATION: evaluation.explanation or None,
    }
    return {key: value for key, value in given.items() if value is not None}


def _own_attributes(issue: Issue) -> Mapping[str, AttributeValue]:
    found = datetime.fromtimestamp(issue.found_ms / 1_000, UTC)
    return {
        "spanloop.annotation.kind": issue.note.kind,
        "spanloop.annotation.id": issue.note.identifier,
        "spanloop.annotation.version": issue.version,
        "spanloop.annotation.time": found.isoformat(timespec="milliseconds"),
        **({"spanloop.annotation.supersedes": issue.supersedes} if issue.supersedes else {}),
        **({f"spanloop.annotation.{RETRACTED}": True} if issue.retracted else {}),
    }


def _sorted(attributes: Mapping[str, AttributeValue]) -> dict[str, AttributeValue]:
    return dict(sorted(attributes.items()))


def _link(to: Target, parent: Target) -> Link:
    """Return a link; one to the parent says so, or Jaeger shows it in the place of the parent."""
    context = _context(to.trace_id, to.span_id)
    is_parent = (to.trace_id, to.span_id) == (parent.trace_id, parent.span_id)
    return Link(context, {REFERENCE_TYPE: "child_of"} if is_parent else None)


def _context(trace_id: str, span_id: str, *, remote: bool = True) -> SpanContext:
    return SpanContext(int(trace_id, 16), int(span_id, 16), is_remote=remote, trace_flags=_SAMPLED)
