"""The bytes of an annotation: what stands in them, what never does, and that they are the same each time."""

from __future__ import annotations

import os
import subprocess
import sys

from opentelemetry.exporter.otlp.proto.common._log_encoder import encode_logs
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.trace import SpanKind, StatusCode

from spanloop.optimizer.annotations.spans import (
    ANNOTATION_SCOPE,
    WORK_SCOPE,
    Issue,
    log_of,
    payload_hash,
    span_of,
    verdict_hash,
)
from spanloop.processor.tagging import OWN_SCOPE
from tests.support.annotations import SPAN, TRACE, make_target, note, payload


def issue(version: int = 1, **changes: object) -> Issue:
    return Issue(note=note(**changes), version=version, found_ms=1_700_000_100_000)


def carried(span: ReadableSpan) -> dict[str, object]:
    return dict(span.attributes or {})


def test_a_finding_is_a_child_of_its_span_at_its_end_with_one_link_to_it() -> None:
    span = span_of(issue())
    assert span.context is not None
    assert span.parent is not None
    assert (f"{span.context.trace_id:032x}", f"{span.parent.span_id:016x}") == (TRACE, SPAN)
    assert (span.start_time, span.end_time) == (make_target().end_ns - 1, make_target().end_ns)
    assert (span.kind, span.status.status_code) == (SpanKind.INTERNAL, StatusCode.UNSET)
    assert span.context.trace_flags.sampled
    (link,) = span.links
    assert (f"{link.context.trace_id:032x}", f"{link.context.span_id:016x}") == (TRACE, SPAN)
    assert dict(link.attributes or {}) == {"opentracing.ref_type": "child_of"}


def test_it_says_so_in_attributes_and_in_the_event() -> None:
    span = span_of(issue(version=2, score=0.25))
    evaluation = {
        "gen_ai.evaluation.name": "failure_pattern",
        "gen_ai.evaluation.score.label": "context_gap",
        "gen_ai.evaluation.score.value": 0.25,
        "gen_ai.evaluation.explanation": "why",
    }
    assert carried(span) == {
        **evaluation,
        "spanloop.annotation.kind": "pattern",
        "spanloop.annotation.id": "p1",
        "spanloop.annotation.version": 2,
        "spanloop.annotation.time": "2023-11-14T22:15:00.000+00:00",
        "spanloop.annotation.supersedes": issue().span_id,
    }
    (event,) = span.events
    assert (event.name, event.timestamp) == ("gen_ai.evaluation.result", span.end_time)
    assert dict(event.attributes or {}) == evaluation


def test_nothing_in_it_makes_a_reader_bill_it_or_take_it_for_a_generation() -> None:
    for kind in ("pattern", "cycle"):
        keys = set(carried(span_of(issue(kind=kind))))
        assert not {
            k for k in keys if k.startswith(("gen_ai.usage", "gen_ai.request", "gen_ai.op"))
        }


def test_own_work_and_annotations_are_told_apart_and_both_are_known_as_ours() -> None:
    finding, work = span_of(issue()), span_of(issue(kind="cycle", evaluation=None, failed=True))
    assert finding.resource.attributes["service.name"] == "spanloop-annotations"
    assert work.resource.attributes["service.name"] == "spanloop"
    assert work.status.status_code is StatusCode.ERROR
    assert not work.events
    for scope in (ANNOTATION_SCOPE, WORK_SCOPE):
        assert scope.name.startswith(f"{OWN_SCOPE}.")


def test_the_log_event_is_of_the_target_and_says_the_same() -> None:
    record = log_of(issue())
    assert record is not None
    (sent,) = encode_logs([record]).resource_logs[0].scope_logs[0].log_records
    assert (sent.trace_id.hex(), sent.span_id.hex()) == (TRACE, SPAN)
    assert sent.event_name == "gen_ai.evaluation.result"
    assert sent.time_unix_nano == sent.observed_time_unix_nano == make_target().end_ns
    attributes = {a.key: a.value.string_value for a in sent.attributes}
    assert attributes["gen_ai.evaluation.score.label"] == "context_gap"
    assert log_of(issue(kind="cycle", evaluation=None)) is None


def test_the_bytes_are_the_same_in_every_process_whatever_the_environment() -> None:
    program = (
        "from tests.unit.optimizer.annotations.test_spans import issue, span_of, payload\n"
        "print(payload(span_of(issue())).hex())"
    )
    seen = {
        subprocess.run(
            [sys.executable, "-c", program],
            env={
                **os.environ,
                "PYTHONHASHSEED": seed,
                "PYTHONPATH": os.pathsep.join(sys.path),
                "OTEL_RESOURCE_ATTRIBUTES": f"host.name=h{seed}",
                "OTEL_SERVICE_NAME": f"s{seed}",
            },
            capture_output=True,
            text=True,
            check=True,
        ).stdout.strip()
        for seed in ("1", "2")
    }
    assert seen == {payload(span_of(issue())).hex()}


def test_hashes_ignore_when_it_was_found_and_a_verdict_also_its_evidence() -> None:
    one, later = note(), note(found_ms=1)
    assert payload_hash(one) == payload_hash(later)
    assert payload_hash(one) != payload_hash(note(links=()))
    assert verdict_hash(one) == verdict_hash(note(links=()))
    assert verdict_hash(one) != verdict_hash(note(explanation="otherwise"))
    rated = {"tolerance": 0.1, "kind": "satisfaction"}
    assert verdict_hash(note(score=0.2, **rated)) == verdict_hash(note(score=0.7, **rated))
    assert verdict_hash(note(label="a", **rated)) != verdict_hash(note(label="b", **rated))
