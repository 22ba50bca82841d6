"""Where a failed run first went wrong, as far as steps tell, without a model.

Every step gets a score: the sum of the weights of the signals it shows. The weights are few and round, set
by hand and explained in docs/patterns.md, which says what they were checked on. What comes back is a ranking
of all steps, not a verdict.
"""

import math
import re
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import reduce
from itertools import takewhile
from typing import Any

from spanloop.optimizer.context import Context
from spanloop.optimizer.patterns.provenance import (
    FEW_WORDS,
    REQUEST,
    Origins,
    Step,
    trace_origins,
)
from spanloop.optimizer.symptoms.catalogue import SURE
from spanloop.optimizer.symptoms.tool_names import READS

MAX_CHARACTERS = 20_000
"""Of one text that are read."""
TRAJECTORIES_A_STATEMENT = 200
CODE_CHARACTERS = 60
"""A shorter code block is a word in code font."""
LOST = 0.5
"""A hand-off with less than this share of the words of the request lost it."""

WEIGHTS: Mapping[str, float] = {
    "lost_request": 5.0,
    "first_unbacked": 1.5,
    "first_failure": 1.0,
    "failed_change": 1.0,
    "first_of_answer": 1.0,
    "answer_share": 1.0,
    "symptom": 1.0,
    "sure_symptom": 1.0,
    "assumptions": 0.5,
    "change": 0.5,
    "last_change": 0.5,
    "concludes": 0.5,
    "wrote_code": 0.3,
    "new_words": 0.2,
    "runs_code_of_another": -3.0,
    "says_nothing": -3.0,
}
"""Signal → weight. Counts enter as log(1 + n), shares as they are, the rest as 0 or 1."""
_READS = re.compile(READS[0])
NOTHING_ASKED = Step(number=REQUEST, kind="request")
REASON = 0.3
"""A signal that adds less to a score is no reason to show."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Suspicion:
    """How much speaks for a step being the first that went wrong.

    Attributes:
        reasons: signals of `WEIGHTS`, strongest first; for ``symptom`` the names of the symptoms.
    """

    step: int
    agent: str
    score: float
    reasons: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Located:
    """The steps of one trajectory, most suspicious first; empty where it has no step of an agent."""

    trajectory_id: str
    ranked: tuple[Suspicion, ...]

    @property
    def agent(self) -> str:
        """Whose step is the most suspicious; '' where unknown."""
        return self.ranked[0].agent if self.ranked else ""


def locate(context: Context, trajectory_ids: Sequence[str]) -> list[Located]:
    """Rank the steps of each trajectory; the text stays in the store, sets of tokens are read."""
    located: list[Located] = []
    for start in range(0, len(trajectory_ids), TRAJECTORIES_A_STATEMENT):
        ids = list(trajectory_ids[start : start + TRAJECTORIES_A_STATEMENT])
        rows = context.rows(
            "patterns/deviation_evidence", {"ids": ids, "characters": MAX_CHARACTERS}
        )
        by_trajectory: defaultdict[str, list[Step]] = defaultdict(list)
        for trajectory_id, *row in rows:
            by_trajectory[str(trajectory_id)].append(_step(row))
        located += (
            Located(trajectory_id=trajectory_id, ranked=tuple(rank_steps(steps)))
            for trajectory_id, steps in by_trajectory.items()
        )
    return located


def rank_steps(rows: Sequence[Step]) -> list[Suspicion]:
    """Rank the steps of one run, most suspicious first; of equals the earlier, as errors travel forward.

    Args:
        rows: in order, with or without the row of the request; steps of users are not ranked.
    """
    opening = list(takewhile(lambda step: step.kind in ("request", "user"), rows))
    request = reduce(lambda given, step: given.joined_by(step), opening, NOTHING_ASKED)
    steps = rows[len(opening) :]
    if not steps:
        return []
    origins = trace_origins(request, steps)
    signals = _signals(request, steps, origins)
    ranked = [_suspicion(step, signals[step.number]) for step in steps if step.kind != "user"]
    return sorted(ranked, key=lambda suspicion: (-suspicion.score, suspicion.step))


def _suspicion(step: Step, signals: Mapping[str, float]) -> Suspicion:
    parts = {name: WEIGHTS[name] * value for name, value in signals.items() if value}
    strongest = sorted(parts, key=lambda name: -parts[name])
    reasons = [name for name in strongest if parts[name] >= REASON and name != "sure_symptom"]
    return Suspicion(
        step=step.number,
        agent=step.agent,
        score=round(sum(parts.values()), 6),
        reasons=tuple(
            reason
            for name in reasons
            for reason in (step.symptoms if name == "symptom" else (name,))
        ),
    )


def _signals(request: Step, steps: Sequence[Step], origins: Origins) -> dict[int, dict[str, float]]:
    """Return step → signal → strength."""
    failed = _failures(steps, origins)
    changes = [step.number for step in steps if _changes(step, origins)]
    firsts = {
        "lost_request": _lost_request(request, steps),
        "first_unbacked": _first_unbacked(steps, origins),
        "first_failure": min(failed, default=None),
        "first_of_answer": min(origins.answer_share, default=None),
        "last_change": max(changes, default=None),
        "concludes": origins.closing,
    }
    signals: dict[int, dict[str, float]] = {}
    for step in steps:
        n = step.number
        states = step.kind == "assistant" and n not in origins.reports
        signals[n] = {name: float(n == first) for name, first in firsts.items()} | {
            "failed_change": float(n in failed and n in changes),
            "answer_share": origins.answer_share.get(n, 0.0),
            "symptom": step.symptom_weight,
            "sure_symptom": float(step.symptom_weight >= SURE),
            "assumptions": math.log1p(step.assumptions) if states else 0.0,
            "change": float(n in changes),
            "wrote_code": float(_wrote_code(step, origins)),
            "new_words": math.log1p(origins.new_words[n]),
            "runs_code_of_another": float(origins.author[n] != n),
            "says_nothing": float(_says_nothing(step)),
        }
    return signals


def _failures(steps: Sequence[Step], origins: Origins) -> set[int]:
    """Who wrote what failed, not who ran it."""
    return {origins.author[step.number] for step in steps if step.failed}


def _changes(step: Step, origins: Origins) -> bool:
    """A call of the agent's own that is not known to only read."""
    own = step.kind == "tool" and step.acts and origins.author[step.number] == step.number
    return own and not _READS.search(step.name)


def _wrote_code(step: Step, origins: Origins) -> bool:
    if step.kind != "assistant":
        return False
    ran = any(by == step.number != runner for runner, by in origins.author.items())
    return ran or step.code_length > CODE_CHARACTERS


def _says_nothing(step: Step) -> bool:
    if step.failed:
        return False
    return not step.acts if step.kind == "tool" else len(step.content) < FEW_WORDS


def _lost_request(request: Step, steps: Sequence[Step]) -> int | None:
    """Between agents, the first message is all that the others learn of the request."""
    first = steps[0]
    if first.kind != "assistant" or not _is_team(steps) or not request.content:
        return None
    kept = len(request.content & first.content) / len(request.content)
    return first.number if kept < LOST else None


def _first_unbacked(steps: Sequence[Step], origins: Origins) -> int | None:
    """A lone new number is a slip only where tools give the numbers; a plan states what it is to find."""
    enough = 1 if origins.tool_backed else 2
    plan = steps[0].number if _is_team(steps) else None
    stated = (n for n, values in origins.unbacked.items() if values >= enough and n != plan)
    return min(stated, default=None)


def _is_team(steps: Sequence[Step]) -> bool:
    return len({step.agent for step in steps if step.kind == "assistant" and step.agent}) > 1


def _step(row: Sequence[Any]) -> Step:
    """Read a row of ``deviation_evidence`` without its first column."""
    number, kind, agent, name, status, prose_length, code_length, acts, weight, symptoms, *rest = (
        row
    )
    assumptions, *tokens = rest
    words, numbers, names, codes, *results = (frozenset(map(str, column)) for column in tokens)
    result_words, result_numbers, result_names, result_codes = results
    return Step(
        number=int(number),
        kind=str(kind),
        agent=str(agent),
        name=str(name),
        failed=status == "error",
        prose_length=int(prose_length),
        code_length=int(code_length),
        acts=bool(acts),
        symptoms=tuple(map(str, symptoms)),
        symptom_weight=float(weight),
        assumptions=int(assumptions),
        words=words,
        numbers=numbers,
        names=names,
        codes=codes,
        result_words=result_words,
        result_numbers=result_numbers,
        result_names=result_names,
        result_codes=result_codes,
    )
