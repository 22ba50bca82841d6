"""Numbers that describe a trajectory, computed by the engine for changed trajectories only.

``NUMBERS`` is the order of ``trajectory_features.Numbers``; change it together with ``FEATURE_VERSION``
and ``sql/insert_features.sql``. The weight beside each number is what holds before any label is seen
(log-odds per standard deviation): its sign is common sense about conversations, its size was set by
hand, not fitted.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

from spanloop.optimizer.context import ALL_TIME_MS, Context
from spanloop.optimizer.satisfaction.lexicon import PHRASES
from spanloop.optimizer.satisfaction.strata import assign_strata
from spanloop.optimizer.satisfaction.tools import Effect, ToolUse, effects

FEATURE_VERSION = 1

TOOL_SAMPLE = 5_000
"""Trajectories, from either end of the ids, whose calls say what a tool does."""


class Number(NamedTuple):
    """One number: its name, what it is, and its weight before labels are seen."""

    name: str
    meaning: str
    prior: float


NUMBERS: tuple[Number, ...] = (
    Number("steps", "length of the trajectory", -0.2),
    Number("turns", "messages of the user", -0.1),
    Number("calls", "tool calls", -0.1),
    Number("changes", "calls that changed something", 0.0),
    Number("reads", "calls that looked something up", 0.0),
    Number("errors", "steps that failed", -0.1),
    Number("failed_changes", "calls that were to change something and failed", -0.1),
    Number("repeated_calls", "calls that repeat an earlier one", -0.1),
    Number("empty_results", "calls that found nothing", -0.05),
    Number("handovers", "times the conversation was given to somebody else", -0.05),
    Number("truncated", "answers cut off at their limit", -0.1),
    Number("unanswered", "the user had the last word", -0.05),
    Number("last_change", "how far through the last change was made", 0.0),
    Number("seconds", "from the first step to the last", -0.1),
    Number("result_chars", "text that tools returned", 0.0),
    Number("answer_chars", "text that the agent wrote", -0.15),
    Number("answer_length", "text of a mean answer", 0.0),
    Number("user_length", "text of a mean message of the user", 0.0),
    Number("corrections", "share of the user's replies that correct the agent", -0.15),
    Number("frustration", "share of the user's replies that show annoyance", -0.15),
    Number("insistence", "share of the user's replies that insist", -0.1),
    Number("wants_person", "share of the user's messages that ask for a person", -0.05),
    Number("consent", "share of the user's replies that agree", 0.0),
    Number("thanked_last", "the user's last message thanks", 0.05),
    Number("inability", "share of answers that say something cannot be done", -0.05),
    Number("apology", "share of answers that apologise", -0.1),
    Number("uncertain", "share of answers that hedge", 0.0),
    Number("money", "answers that name an amount", 0.0),
    Number("claimed_done_last", "the last answer says that it is done", 0.0),
    Number("symptoms", "weight of the symptoms found", -0.1),
)

NAMES = tuple(number.name for number in NUMBERS)


@dataclass(frozen=True, slots=True, kw_only=True)
class FeatureResult:
    """What `compute_features` did.

    Attributes:
        trajectories: changed ones.
        strata: intent clusters that are known.
        changing_tools: tools taken to change something.
    """

    trajectories: int
    strata: int
    changing_tools: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """What is known beforehand of trajectories that are described, so that nothing is learned from them.

    Attributes:
        effects: tool → what a call of it does.
        strata: TrajectoryId → stratum.
    """

    effects: Mapping[str, Effect]
    strata: Mapping[str, str]


def compute_features(context: Context, told: Told | None = None) -> FeatureResult:
    """Write numbers and strata of the trajectories in ``changed_trajectories``.

    Where nothing is ``told``, strata and effects of tools are what the store tells now.
    """
    chunks = context.rows(
        "satisfaction/select_chunks", {"size": context.limits.trajectories_a_chunk}
    )
    total = sum(int(row[2]) for row in chunks)
    context.progress.stage("features", total)
    kinds = tool_effects(context) if told is None else told.effects
    parameters: dict[str, Any] = {
        "changing": [name for name, kind in kinds.items() if kind is Effect.CHANGES],
        "handing": [name for name, kind in kinds.items() if kind is Effect.HANDS_OVER],
        "names": [phrase.name for phrase in PHRASES],
        "phrases": [phrase.pattern for phrase in PHRASES],
        "feature_version": FEATURE_VERSION,
        "version": context.now_ms,
    }
    strata = 0
    for first, last, trajectories in chunks:
        bounds = {"first": first, "last": last}
        strata = assign_strata(context, bounds) if told is None else _tell_strata(context, told)
        context.run("satisfaction/insert_features", {**parameters, **bounds})
        context.progress.advance(int(trajectories))
    context.run(
        "satisfaction/insert_features_gone",
        {"feature_version": FEATURE_VERSION, "version": context.now_ms},
    )
    return FeatureResult(
        trajectories=total, strata=strata, changing_tools=len(parameters["changing"])
    )


def _tell_strata(context: Context, told: Told) -> int:
    context.run("satisfaction/create_strata")
    context.run(
        "satisfaction/insert_strata",
        {"trajectories": list(told.strata), "strata": list(told.strata.values())},
    )
    return len(set(told.strata.values()))


def tool_effects(context: Context, *, until_ms: int = ALL_TIME_MS) -> dict[str, Effect]:
    """Return tool → what a call of it does, by trajectories that ended by ``until_ms``."""
    rows = context.rows(
        "satisfaction/select_tools",
        {
            "sample": TOOL_SAMPLE,
            "until": until_ms,
            "phrases": [phrase.pattern for phrase in PHRASES],
            "consent": 1 + [phrase.name for phrase in PHRASES].index("consent"),
        },
    )
    return effects(ToolUse(str(row[0]), int(row[1]), *map(float, row[2:5])) for row in rows)
