"""What users say about an agent's work, as it is accepted: the model at the border, its form in OTel.

Feedback travels as the log event ``gen_ai.evaluation.result`` (OTel GenAI semantic conventions) of a scope of
its own; `spanloop.optimizer.feedback` makes assessments of it.
"""

import hashlib
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Annotated, Self, cast

from pydantic import (
    AwareDatetime,
    BaseModel,
    ConfigDict,
    Field,
    StringConstraints,
    ValidationError,
    model_validator,
)
from pydantic_core import ErrorDetails

from spanloop.processor.errors import InvalidRequest

EVENT = "gen_ai.evaluation.result"
"""Name of the event, on log records or (deprecated) spans."""

SCOPE = "spanloop.feedback"
"""Scope of what users told our API. Anything else of scope ``spanloop`` is ours and never read back."""

NAME = "gen_ai.evaluation.name"
SCORE = "gen_ai.evaluation.score.value"
LABEL = "gen_ai.evaluation.score.label"
EXPLANATION = "gen_ai.evaluation.explanation"
# No attribute of the conventions names these (semantic-conventions-genai#79); OpenInference's words.
ANNOTATOR_KIND = "gen_ai.evaluation.annotator_kind"
IDENTIFIER = "gen_ai.evaluation.identifier"
# ours
SAMPLE_ID = "spanloop.sample.id"
PROBABILITY = "spanloop.selection.probability"
RETRACTED = "spanloop.feedback.retracted"
USER_HASH = "spanloop.user.hash"

CONVERSATION_ID = "gen_ai.conversation.id"
USER_ID = "user.id"

MAX_ITEMS = 1_000
MAX_COMMENT = 2_000
_LETTERS = str.maketrans("0123456789", "ghijklmnop")
_EARLIEST = datetime(1970, 1, 2, tzinfo=UTC)
LATEST = datetime(2100, 1, 1, tzinfo=UTC)
"""Retention counts seconds in 32 bits: it would take a later time for one long past."""

Text = Annotated[
    str,
    StringConstraints(strip_whitespace=True, min_length=1, max_length=200, pattern=r"^[^\x00]+$"),
]


class Feedback(BaseModel):
    """One judgement of a trace, a span or a conversation by its user."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)

    trace_id: Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{32}$", to_lower=True)] | None = (
        None
    )
    span_id: Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{16}$", to_lower=True)] | None = (
        None
    )
    conversation_id: (
        Annotated[str, StringConstraints(min_length=1, max_length=1_000, pattern=r"^[^\x00]+$")]
        | None
    ) = None
    name: Text = "user_feedback"
    score: float | None = None
    label: (
        Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=100)]
        | None
    ) = None
    comment: Annotated[str, StringConstraints(max_length=MAX_COMMENT)] | None = None
    user: Text | None = None
    id: Text | None = None
    timestamp: AwareDatetime | None = None
    retract: bool = False
    sample_id: Text | None = None
    selection_probability: Annotated[float, Field(gt=0, le=1)] | None = None

    @model_validator(mode="after")
    def _is_about_something(self) -> Self:
        if self.trace_id is None and self.conversation_id is None:
            raise ValueError("name a trace_id or a conversation_id")
        if self.span_id is not None and self.trace_id is None:
            raise ValueError("span_id needs its trace_id")
        if not self.retract and self.score is None and not self.label and not self.comment:
            raise ValueError("give a score, a label or a comment")
        if self.timestamp is not None and not _EARLIEST <= self.timestamp <= LATEST:
            raise ValueError("timestamp must lie between 1970 and 2100")
        if {self.trace_id, self.span_id} & {"0" * 32, "0" * 16}:
            raise ValueError("trace_id and span_id must not be all zero")
        return self

    @property
    def identifier(self) -> str:
        """Hash of the caller's ``id``, '' without one: redaction before storage cannot change it."""
        return pseudonym(self.id) if self.id is not None else ""

    @property
    def user_hash(self) -> str:
        """Hash of the user, '' without one: it tells people apart whom redaction makes one ``<EMAIL>``."""
        return pseudonym(self.user) if self.user is not None else ""

    def assessment_id(self, project: str) -> str:
        """Return the id of the assessment that this becomes (optimizer/feedback/sql/read_found.sql)."""
        by = f"id:{self.identifier}" if self.identifier else f"by:{self.user_hash}"
        conversation = (self.conversation_id or "") if self.trace_id is None else ""
        return digest(
            [project, self.trace_id or "", self.span_id or "", conversation, self.name, by]
        )

    def attributes(self) -> dict[str, str | float | bool]:
        """Return the attributes of its log record."""
        found: dict[str, str | float | bool | None] = {
            NAME: self.name,
            SCORE: self.score,
            LABEL: self.label,
            EXPLANATION: self.comment or None,
            ANNOTATOR_KIND: "HUMAN",
            IDENTIFIER: self.identifier or None,
            CONVERSATION_ID: self.conversation_id,
            USER_ID: self.user,
            USER_HASH: self.user_hash or None,
            SAMPLE_ID: self.sample_id,
            PROBABILITY: self.selection_probability,
            RETRACTED: self.retract or None,
        }
        return {key: value for key, value in found.items() if value is not None}


def parse_feedback(content: object) -> list[Feedback]:
    """Return the feedback in ``content``: an object, or a list of at most `MAX_ITEMS`.

    Raises:
        InvalidRequest: some of it cannot be accepted; the message names the fields, never their values.
    """
    many = isinstance(content, list)
    items = cast("list[object]", content) if many else [content]
    if not 1 <= len(items) <= MAX_ITEMS:
        raise InvalidRequest(f"send between 1 and {MAX_ITEMS} pieces of feedback")
    parsed: list[Feedback] = []
    faults: list[str] = []
    for number, item in enumerate(items):
        try:
            parsed.append(Feedback.model_validate(item))
        except ValidationError as error:
            place = f"[{number}]" if many else ""
            faults += [
                _fault(place, e) for e in error.errors(include_url=False, include_input=False)
            ]
    if faults:
        more = f" and {len(faults) - 5} more" if len(faults) > 5 else ""
        raise InvalidRequest("; ".join(faults[:5]) + more)
    return parsed


def _fault(place: str, error: ErrorDetails) -> str:
    path = ".".join(filter(None, [place, *(str(part)[:50] for part in error["loc"])]))
    return f"{path or 'feedback'}: {error['msg'].removeprefix('Value error, ')}"


def digest(parts: Sequence[str]) -> str:
    """Return 32 hex characters that stand for ``parts``, in the same way as the statements that make ids."""
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()[:32]


def pseudonym(text: str) -> str:
    """Return 32 letters that stand for ``text`` (half of SHA-256): redaction sees no number in them."""
    return digest([text]).translate(_LETTERS)
