"""A finding as it is written back: what it says, about which span, and the id that this gives it.

Rules: a child of the span it is about, in the same trace, at the end of that span; a deterministic id, so
that sending twice stores once; another verdict is another version under another id (docs/annotations.md).
"""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal, get_args

from opentelemetry.util.types import AttributeValue

from spanloop.processor.redaction import redact

Kind = Literal[
    "satisfaction", "pattern", "assessment", "scenario", "experiment", "release", "cycle"
]
KINDS: tuple[Kind, ...] = get_args(Kind)

ANNOTATOR = "spanloop"
"""Part of every id: another annotator of the same finding has other ids."""
RETRACTED = "retracted"
"""Label of a version that takes its finding back."""
MAX_LABEL_CHARS = 100
MICROSECOND = 1_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """A stored span that a note is about.

    Attributes:
        trace_id: 32 hex characters.
        span_id: 16 hex characters; '' = nothing: the note is the root of a trace of our own.
        start_ns: Unix nanoseconds.
        end_ns: likewise; not before the start.
    """

    trace_id: str
    span_id: str
    start_ns: int
    end_ns: int

    @property
    def moment_ns(self) -> tuple[int, int]:
        """Start and end of a note about it: the last nanosecond of its whole microseconds.

        Viewers that count in microseconds round a start and a duration apart; so the note stays inside the
        span there too. Not of no length: Jaeger takes that for a negative one and warns (as it does about a
        target without length, which it shows as a nanosecond long).

        >>> Target(trace_id="", span_id="", start_ns=1_999, end_ns=4_001).moment_ns
        (3998, 3999)
        >>> Target(trace_id="", span_id="", start_ns=1_999, end_ns=1_999).moment_ns
        (1999, 2000)
        """
        length = max(self.end_ns - self.start_ns, 0)
        end = self.start_ns + max(length - length % MICROSECOND, 1)
        return end - 1, end


@dataclass(frozen=True, slots=True, kw_only=True)
class Evaluation:
    """What a note says in the words of OpenTelemetry's GenAI conventions (``gen_ai.evaluation.*``).

    Attributes:
        label: '' = none.
        score: None = none.
        explanation: redacted and capped; '' = none.
    """

    name: str
    label: str = ""
    score: float | None = None
    explanation: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Note:
    """Something found, to be written at its target.

    Attributes:
        kind: of finding.
        identifier: what tells findings of a kind on one target apart.
        target: the span it is about, its parent.
        name: of the span; of few values, never text of a trace.
        found_ms: when it was found, Unix milliseconds.
        moment_ms: when what it is about happened, Unix milliseconds.
        evaluation: None for a span of our own work.
        attributes: further ones, no text of a trace that is not redacted and capped.
        links: evidence; a note inside an agent's trace has exactly the one to its target.
        interval_ns: start and end of a span of our own work; None = the target's `Target.moment_ns`.
        tolerance: where given, another score nearer than this is no other verdict.
        failed: it is a piece of our own work, and it failed.
    """

    kind: Kind
    identifier: str
    project: str
    agent: str
    target: Target
    name: str
    found_ms: int
    moment_ms: int
    evaluation: Evaluation | None = None
    attributes: Mapping[str, AttributeValue] = field(default_factory=dict[str, AttributeValue])
    links: Sequence[Target] = ()
    interval_ns: tuple[int, int] | None = None
    tolerance: float | None = None
    failed: bool = False

    @property
    def key(self) -> "Key":
        """What the ledger knows it by."""
        return self.kind, self.target.trace_id, self.target.span_id, self.identifier

    @property
    def label(self) -> str:
        """What it says, '' where nothing."""
        return self.evaluation.label if self.evaluation else ""

    @property
    def score(self) -> float | None:
        """Its number, None where it has none."""
        return self.evaluation.score if self.evaluation else None


Key = tuple[Kind, str, str, str]
"""Kind, trace, span, identifier."""


def annotation_id(key: Key, version: int) -> str:
    """Return the span id of a version of a finding: the first 8 bytes of a SHA-256, hex.

    >>> annotation_id(("pattern", "a" * 32, "b" * 16, "p1"), 1)
    'c5a9a17722c45860'
    """
    kind, trace_id, span_id, identifier = key
    parts = (trace_id, span_id, ANNOTATOR, kind, identifier, str(version))
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()[:16]


def own_trace_id(kind: str, identifier: str) -> str:
    """Return the id of a trace of our own work, 32 hex characters."""
    parts = (ANNOTATOR, "trace", kind, identifier)
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()[:32]


def safe_text(text: str, most: int) -> str:
    r"""Return ``text`` as it may leave: redacted, printable, valid UTF-8, at most ``most`` characters.

    Redacted before it is cut, or half a secret would pass; cut once more before, so that a text of megabytes
    costs no time.

    >>> safe_text("write to ann@example.org\x00 now", 16)
    'write to <EMAIL…'
    """
    head = text[: 4 * most + 4_096].encode(errors="replace").decode()
    shown = redact("".join(c if c.isprintable() or c in "\n\t" else "\ufffd" for c in head))
    return cut(shown, most)


def cut(text: str, most: int) -> str:
    """Return at most ``most`` characters of ``text``.

    >>> cut("abcdef", 4)
    'abc…'
    """
    return text if len(text) <= most else text[: most - 1] + "…"
