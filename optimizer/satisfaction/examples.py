"""Reads the trajectories that experts in Python look at: the newest, the labelled and the judged ones."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from spanloop.optimizer.context import Context
from spanloop.optimizer.satisfaction.features import FEATURE_VERSION, NUMBERS, tool_effects
from spanloop.optimizer.satisfaction.model import WORDS_FROM, Examples
from spanloop.optimizer.satisfaction.peers import Step, facts, peer_numbers, peer_weights
from spanloop.optimizer.satisfaction.text import WORD_BUCKETS, hashed, said_similarity, told

NEWEST = 4_000
"""Newest trajectories that are compared with their peers and whose words are read."""

LABELLED = 4_000
"""Newest labels that are learned from."""

JUDGED = 4_000
"""Trajectories with the newest verdicts, which are looked at for these."""

CHARS = 1_500
"""Characters of a text or of arguments that are read."""

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Loaded:
    """Trajectories with everything that the model takes, and the labels there are.

    Attributes:
        ids: TrajectoryId of each example.
        examples: in the same order.
        labels: TrajectoryId → 0 to 1.
        verdicts: TrajectoryId → 0 to 1, of every trajectory that was judged, example or not.
    """

    ids: Sequence[str]
    examples: Examples
    labels: Mapping[str, float]
    verdicts: Mapping[str, float]

    def labelled(self) -> tuple[NDArray[np.int64], Floats]:
        """Return the rows that have a label, and the labels."""
        rows = [i for i, name in enumerate(self.ids) if name in self.labels]
        satisfied = [self.labels[self.ids[i]] for i in rows]
        return np.array(rows, dtype=np.int64), np.array(satisfied, dtype=np.float64)


def load_examples(
    context: Context, *, newest: int = NEWEST, labelled: int = LABELLED, words: bool | None = None
) -> Loaded:
    """Read the ``newest`` trajectories, up to ``labelled`` that have a label and `JUDGED` that were judged.

    Words are counted where ``words`` says so; None = where there are labels enough to learn from them.
    """
    rows = context.rows(
        "satisfaction/select_examples",
        {
            "newest": newest,
            "labelled": labelled,
            "judged": JUDGED,
            "chars": CHARS,
            "feature_version": FEATURE_VERSION,
        },
    )
    labels = context.rows("satisfaction/select_labels", {"labelled": labelled})
    judged = {str(row[0]): float(row[1]) for row in context.rows("satisfaction/select_judged")}
    ids = [str(row[0]) for row in rows]
    steps = [[Step(*map(str, step)) for step in row[3]] for row in rows]
    own = np.array([row[2] for row in rows], dtype=np.float64).reshape(len(rows), len(NUMBERS))
    judge = np.array([[judged.get(name, np.nan)] for name in ids]).reshape(len(rows), 1)
    numbers = np.hstack([own, _peer_numbers(context, steps), judge])
    return Loaded(
        ids=ids,
        examples=Examples(
            numbers=numbers,
            counts=_counts(steps, wanted=len(labels) >= WORDS_FROM if words is None else words),
            groups=[str(row[1]) for row in rows],
        ),
        labels={str(row[0]): float(row[1]) for row in labels},
        verdicts=judged,
    )


def _counts(runs: Sequence[Sequence[Step]], *, wanted: bool) -> Any:
    if not wanted:
        return sparse.csr_array((len(runs), WORD_BUCKETS))
    return hashed([told(run) for run in runs])


def _peer_numbers(context: Context, runs: Sequence[Sequence[Step]]) -> Any:
    kinds = tool_effects(context)
    said = ["\n".join(step.text for step in run if step.kind == "user") for run in runs]
    weights = peer_weights(said_similarity(said))
    return peer_numbers([facts(run, kinds) for run in runs], weights)
