"""What feedback means: the one table of rules behind the statements and docs/satisfaction.md.

The statements of ``optimizer/feedback/sql`` take these as parameters; a test compares the page with
`markdown`. Names are compared in snake_case, labels in lower case with ``_`` for blanks and hyphens.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from spanloop.processor.feedback import (
    ANNOTATOR_KIND,
    EVENT,
    EXPLANATION,
    IDENTIFIER,
    LABEL,
    NAME,
    PROBABILITY,
    RETRACTED,
    SAMPLE_ID,
    SCORE,
    USER_HASH,
)

# As pydantic-evals has them, `_otel_emit.py`.
EVALUATOR_SOURCE = "gen_ai.evaluation.evaluator.source"
EVALUATOR_VERSION = "gen_ai.evaluation.evaluator.version"
RESPONSE_ID = "gen_ai.response.id"
ERROR = "error.type"

CONVERSATION_KEYS = ("gen_ai.conversation.id", "langfuse.session.id", "session.id")
USER_KEYS = ("user.id", "enduser.id", "enduser.pseudo.id", "langfuse.user.id")

FIELDS = (
    NAME,
    SCORE,
    LABEL,
    EXPLANATION,
    ANNOTATOR_KIND,
    IDENTIFIER,
    EVALUATOR_SOURCE,
    EVALUATOR_VERSION,
    RESPONSE_ID,
    ERROR,
    SAMPLE_ID,
    PROBABILITY,
    RETRACTED,
    USER_HASH,
    *CONVERSATION_KEYS,
    *USER_KEYS,
)
"""Attributes that a result is read from; a carrier's own words are translated to these."""

OPENINFERENCE_FIELDS: Mapping[str, str] = {
    "name": NAME,
    "score": SCORE,
    "label": LABEL,
    "explanation": EXPLANATION,
    "annotator_kind": ANNOTATOR_KIND,
    "identifier": IDENTIFIER,
}
"""Fields of OpenInference's results (spec/annotations.md): ``evaluations.N.evaluation.*`` and the like."""

_ASPECTS = ("feedback", "rating", "satisfaction", "thumbs", "thumb", "stars", "csat", "reaction")
_WHOSE = ("user", "customer", "human", "end_user")
_FORMS = ("score", "label", "value", "rating")
FEEDBACK_NAMES = tuple(
    sorted(
        {f"{whose}{aspect}" for whose in ("", *(f"{w}_" for w in _WHOSE)) for aspect in _ASPECTS}
        | {f"{whose}_feedback_{form}" for whose in _WHOSE for form in _FORMS}
        | {f"feedback_{form}" for form in _FORMS}
        | {
            "thumbs_up",
            "thumbs_up_down",
            "star_rating",
            "csat_score",
            "user_satisfied",
            "satisfied",
        }
        | {"user_score", "like", "liked"}
    )
)
OUTCOME_NAMES = (
    "goal_achieved",
    "goal_completion",
    "outcome",
    "resolution",
    "resolved",
    "success",
    "task_completed",
    "task_completion",
    "task_success",
)
RATING_NAMES = tuple(
    name
    for name in FEEDBACK_NAMES
    if any(word in name for word in ("rating", "star", "csat", "satisfaction"))
)
"""Names of feedback whose numbers may be 1 to 5."""

HUMAN_KINDS = ("HUMAN", "USER", "END_USER", "CUSTOMER", "PERSON")
MODEL_KINDS = ("LLM", "MODEL", "AUTOMATIC")

GOOD = (
    "thumbs_up",
    "thumbsup",
    "thumb_up",
    "positive",
    "good",
    "great",
    "excellent",
    "upvote",
    "like",
    "liked",
    "helpful",
    "satisfied",
    "very_satisfied",
    "happy",
    "👍",
    "👏",
    "❤",
    "😀",
    "😊",
    "😍",
    "🎉",
    "✅",
)
BAD = (
    "thumbs_down",
    "thumbsdown",
    "thumb_down",
    "negative",
    "bad",
    "poor",
    "terrible",
    "downvote",
    "dislike",
    "disliked",
    "unhelpful",
    "not_helpful",
    "dissatisfied",
    "unsatisfied",
    "very_dissatisfied",
    "unhappy",
    "👎",
    "😞",
    "😠",
    "😡",
    "💔",
    "❌",
)
MIXED = (
    "neutral",
    "mixed",
    "😐",
)
YES = (
    "yes",
    "y",
    "up",
    "true",
    "pass",
    "passed",
    "correct",
    "success",
    "successful",
    "succeeded",
    "resolved",
    "solved",
    "completed",
    "achieved",
)
NO = (
    "no",
    "n",
    "down",
    "false",
    "fail",
    "failed",
    "incorrect",
    "failure",
    "unsuccessful",
    "unresolved",
    "unsolved",
    "not_resolved",
    "incomplete",
    "not_completed",
    "not_achieved",
)

PLAIN: Mapping[str, tuple[str, str]] = {
    f"{prefix}{suffix}": (name, field)
    for prefix in ("user_feedback", "user.feedback", "feedback")
    for suffix, name, field in (
        ("", "user_feedback", SCORE),
        (".score", "user_feedback", SCORE),
        (".value", "user_feedback", SCORE),
        (".label", "user_feedback", LABEL),
        (".rating", "user_rating", SCORE),
        (".comment", "user_feedback", EXPLANATION),
    )
    # `feedback` alone may be anything
    if f"{prefix}{suffix}" != "feedback"
} | {
    "user_rating": ("user_rating", SCORE),
    "user.rating": ("user_rating", SCORE),
    # the attributes by which instrumentations carry a program's own metadata
    "metadata.user_feedback": ("user_feedback", SCORE),
    "langfuse.trace.metadata.user_feedback": ("user_feedback", SCORE),
    "langfuse.observation.metadata.user_feedback": ("user_feedback", SCORE),
    "langsmith.metadata.user_feedback": ("user_feedback", SCORE),
    "traceloop.association.properties.user_feedback": ("user_feedback", SCORE),
    "ai.telemetry.metadata.user_feedback": ("user_feedback", SCORE),
}
"""Plain attribute → (name, field) it tells of."""

PARAMETERS: Mapping[str, Any] = {
    "event": EVENT,
    "fields": list(FIELDS),
    "result_keys": [
        NAME,
        SCORE,
        LABEL,
        "evaluations.0.evaluation.name",
        "annotations.0.annotation.name",
    ],
    "openinference_fields": list(OPENINFERENCE_FIELDS),
    "openinference_names": list(OPENINFERENCE_FIELDS.values()),
    "plain_keys": list(PLAIN),
    "plain_names": [name for name, _ in PLAIN.values()],
    "plain_fields": [field for _, field in PLAIN.values()],
    "conversation_keys": list(CONVERSATION_KEYS),
    "user_keys": list(USER_KEYS),
    "feedback_names": list(FEEDBACK_NAMES),
    "outcome_names": list(OUTCOME_NAMES),
    "rating_names": list(RATING_NAMES),
    "human_kinds": list(HUMAN_KINDS),
    "model_kinds": list(MODEL_KINDS),
    "opinions": [*GOOD, *BAD, *MIXED],
    "opinion_values": [1.0] * len(GOOD) + [0.0] * len(BAD) + [0.5] * len(MIXED),
    "answers": [*YES, *NO],
    "answer_values": [1.0] * len(YES) + [0.0] * len(NO),
}


def markdown() -> str:
    """Return the tables of docs/satisfaction.md."""
    labels = (
        ("1", "any name", GOOD),
        ("0.5", "any name", MIXED),
        ("0", "any name", BAD),
        ("1", "names of feedback and outcomes", YES),
        ("0", "names of feedback and outcomes", NO),
    )
    return "\n".join(
        [
            "| names of | |",
            "|---|---|",
            f"| feedback | {_listed(FEEDBACK_NAMES)} |",
            f"| outcomes | {_listed(OUTCOME_NAMES)} |",
            "",
            "| `Satisfied` | under | labels |",
            "|---|---|---|",
            *(f"| {value} | {under} | {_listed(words)} |" for value, under, words in labels),
        ]
    )


def _listed(words: Sequence[str]) -> str:
    return " ".join(f"`{word}`" for word in words)
