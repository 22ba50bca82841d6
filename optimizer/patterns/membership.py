"""Who belongs to which pattern: every predicate asked of every trajectory, or of those that changed.

The engine does it, in chunks of trajectories; Python sees only the few whose step has to be located.
"""

from collections.abc import Iterator, Sequence

from spanloop.optimizer.context import COMPARABLE_COMPLETENESS, Context
from spanloop.optimizer.patterns.deviation import locate
from spanloop.optimizer.patterns.peers import FRAGMENTS, MISSED_VALUES, NUMBER_NAMES
from spanloop.optimizer.patterns.predicate_sql import compile_predicates
from spanloop.optimizer.patterns.sample import with_fragments
from spanloop.optimizer.patterns.storing import Pattern
from spanloop.optimizer.satisfaction.features import FEATURE_VERSION

MAX_LOCATED = 400
"""Members a run whose deviating step is searched for in their text; the others show it themselves."""


def assign(
    context: Context,
    patterns: Sequence[Pattern],
    *,
    kept: Sequence[str],
    project: str,
    everything: bool,
) -> int:
    """Write the members of ``patterns``; return how many trajectories were looked at.

    Args:
        context: of the analysis.
        patterns: those of ``project``.
        kept: ids of the patterns of all projects; members of others are deleted.
        project: whose trajectories are asked.
        everything: ask every comparable trajectory; else those of ``changed_trajectories``.
    """
    comparable = {"completeness": COMPARABLE_COMPLETENESS}
    context.run("patterns/create_todo")
    if everything:
        context.run("patterns/insert_todo_all", {**comparable, "project": project})
    else:
        context.run("patterns/insert_todo_changed", {"project": project})
    total = int(context.rows("patterns/count_todo")[0][0])
    ids = [pattern.pattern_id for pattern in patterns]
    index = {name: position for position, name in enumerate(NUMBER_NAMES, start=1)}
    conditions = compile_predicates([pattern.predicate for pattern in patterns], index)
    wants_values = any(
        term.kind == "number" and term.subject == MISSED_VALUES
        for pattern in patterns
        for term in pattern.predicate.terms
    )
    filled = with_fragments(context, {**FRAGMENTS, **conditions.fragments})
    for first, last in _chunks(total if ids else 0, context.limits.trajectories_a_chunk):
        filled.run(
            "patterns/insert_members",
            {
                **conditions.parameters,
                **comparable,
                "patterns": ids,
                "first": first,
                "last": last,
                "version": context.now_ms,
                "values": wants_values,
                "feature_version": FEATURE_VERSION,
            },
        )
        context.progress.advance(last - first + 1)
    context.run("patterns/delete_left_members", {"version": context.now_ms, "patterns": list(kept)})
    return total


def _chunks(total: int, size: int) -> Iterator[tuple[int, int]]:
    for first in range(0, total, size):
        yield first, min(first + size, total) - 1


def locate_deviations(context: Context) -> None:
    """Find the deviating step of new members that nothing but numbers told of."""
    rows = context.rows(
        "patterns/select_unlocated", {"version": context.now_ms, "members": MAX_LOCATED}
    )
    trajectories = sorted({str(row[1]) for row in rows})
    suspects = {
        located.trajectory_id: located.ranked[0].step
        for located in locate(context, trajectories)
        if located.ranked
    }
    found = [(row[0], row[1], suspects[row[1]]) for row in rows if row[1] in suspects]
    if not found:
        return
    # One version later, so that it replaces the row just written.
    context.run(
        "patterns/insert_located",
        {
            "patterns": [pattern for pattern, _, _ in found],
            "trajectories": [trajectory for _, trajectory, _ in found],
            "steps": [step for _, _, step in found],
            "version": context.now_ms + 1,
        },
    )
