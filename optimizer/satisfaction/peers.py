"""What runs of the same request have in common: agreement with peers is evidence of doing right.

Requests repeat in production. Runs whose users said similar things are peers; a run that makes the
changes that its peers make, with the same values, is likelier right than one that nobody follows, and a
request on which peers disagree is a hard one. No label is needed. Everything here is pure.
"""

import json
import re
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from spanloop.optimizer.satisfaction.tools import Effect

Floats = NDArray[np.float64]

SIMILAR = 0.25
"""Cosine of what users said from which on runs count as peers; their weight grows to 1 over `RAMP`."""

RAMP = 0.3
MOST_PEERS = 20
PRIOR_PEERS = 1.0
"""Peers' worth of mean agreement that is added, so that one doubtful peer says little."""

_NUMBER = re.compile(r"\d[\d,]*(?:\.\d+)?")
_WORD = re.compile(r"[a-z][a-z-]{2,}")


class Step(NamedTuple):
    """What is compared of a step; texts may be cut."""

    kind: str
    name: str
    status: str
    text: str
    arguments: str


class Facts(NamedTuple):
    """What a run did and said, as sets that can be compared.

    Attributes:
        changes: calls that changed something, with their arguments.
        changing_tools: tools of those.
        values: (tool, argument, value) of those.
        handover: whether the conversation was given away.
        numbers: numbers in the last three answers.
        words: words of the last 20 answers.
        reads: calls that looked something up, with their arguments.
    """

    changes: frozenset[Any]
    changing_tools: frozenset[Any]
    values: frozenset[Any]
    handover: frozenset[Any]
    numbers: frozenset[Any]
    words: frozenset[Any]
    reads: frozenset[Any]


EXACT = frozenset(("changes", "changing_tools", "handover"))
"""Compared as wholes; the others by the share of what either has that both have."""


def facts(steps: Sequence[Step], kinds: Mapping[str, Effect]) -> Facts:
    """Return what a run did and said; ``kinds`` says what each tool does."""
    changes: set[Any] = set()
    values: set[Any] = set()
    reads: set[Any] = set()
    handed = False
    for step in steps:
        if step.kind == "handoff":
            handed = True
        if step.kind != "tool":
            continue
        kind = kinds.get(step.name, Effect.READS)
        arguments = canonical(step.arguments)
        call = (step.name, json.dumps(arguments, sort_keys=True))
        handed = handed or kind is Effect.HANDS_OVER
        if kind is Effect.READS:
            reads.add(call)
        elif kind is Effect.CHANGES and step.status != "error":
            changes.add(call)
            values.update((step.name, *leaf) for leaf in _leaves(arguments, ""))
    answers = [step.text for step in steps if step.kind == "assistant" and step.text]
    return Facts(
        changes=frozenset(changes),
        changing_tools=frozenset(name for name, _ in changes),
        values=frozenset(values),
        handover=frozenset({"handed"} if handed else ()),
        numbers=frozenset(n for text in answers[-3:] for n in _numbers(text)),
        words=frozenset(w for text in answers[-20:] for w in _WORD.findall(text[:800].lower())),
        reads=frozenset(reads),
    )


def canonical(arguments: str) -> Any:
    """Return arguments so that equal ones compare equal: parsed, lower case, lists sorted."""
    try:
        return _canonical(json.loads(arguments)) if arguments else {}
    except (ValueError, RecursionError):
        return arguments.strip().lower()


def peer_weights(similarity: Any) -> Any:
    """Return csr (runs, runs) weights of peers from csr cosines; nobody is a peer of itself."""
    rows = sparse.csr_array(similarity).astype(np.float64)
    rows.data = np.clip((rows.data - SIMILAR) / RAMP, 0.0, 1.0)
    rows.setdiag(0.0)
    rows.eliminate_zeros()
    for i in range(rows.shape[0]):
        start, end = int(rows.indptr[i]), int(rows.indptr[i + 1])
        if end - start > MOST_PEERS:
            weak = np.argsort(-rows.data[start:end], kind="stable")[MOST_PEERS:]
            rows.data[start + weak] = 0.0
    rows.eliminate_zeros()
    return rows


PEER_NAMES = (
    "peers",
    "same_changes",
    "same_changing_tools",
    "same_values",
    "same_handover",
    "same_numbers",
    "same_words",
    "same_reads",
    "peers_agree_changes",
    "peers_agree_changing_tools",
    "peers_agree_values",
    "peers_agree_numbers",
    "peers_agree_words",
)
"""Columns of `peer_numbers`."""

_CHANNELS = (
    "changes",
    "changing_tools",
    "values",
    "handover",
    "numbers",
    "words",
    "reads",
)
_DISSENT = ("changes", "changing_tools", "values", "numbers", "words")


def peer_numbers(known: Sequence[Facts], weights: Any) -> Floats:
    """Return (runs, len(PEER_NAMES)) numbers; NaN for runs without peers.

    Agreement is a weighted mean over peers, shrunk to the mean over all pairs. Peers that themselves
    agree with theirs on what was changed weigh more. ``peers_agree_…`` is agreement among the peers,
    the run left out.
    """
    pairs = {name: _agreement(known, weights, name) for name in _CHANNELS}
    done = (pairs["changes"] + pairs["changing_tools"] + pairs["values"]) / 3
    quality = _shrunk(done, weights, weights)
    mean = float(np.nanmean(quality)) if np.isfinite(quality).any() else 1.0
    trust = np.nan_to_num(quality / max(mean, 1e-9), nan=1.0) ** 2
    trusted = sparse.csr_array(weights @ sparse.diags_array(trust))
    columns = [np.log1p(_row_sums(weights))]
    columns += [_shrunk(pairs[name], trusted, weights) for name in _CHANNELS]
    columns += [_among_peers(pairs[name], weights) for name in _DISSENT]
    return np.column_stack(columns)


def _agreement(known: Sequence[Facts], weights: Any, name: str) -> Any:
    sets = [getattr(run, name) for run in known]
    starts: NDArray[np.int64] = np.asarray(weights.indptr, dtype=np.int64)
    rows = np.repeat(np.arange(starts.size - 1), np.diff(starts))
    agree = np.fromiter(
        (
            _same(sets[i], sets[j], exact=name in EXACT)
            for i, j in zip(
                rows.tolist(), np.asarray(weights.indices, dtype=np.int64).tolist(), strict=True
            )
        ),
        dtype=np.float64,
        count=rows.size,
    )
    return sparse.csr_array((agree, weights.indices, weights.indptr), shape=weights.shape)


def _same(a: frozenset[Any], b: frozenset[Any], *, exact: bool) -> float:
    if exact:
        return float(a == b)
    both = len(a & b)
    either = len(a) + len(b) - both
    return both / either if either else 1.0


def _shrunk(agreement: Any, weights: Any, all_weights: Any) -> Floats:
    mean = _mean(agreement, all_weights)
    total = _row_sums(weights)
    agreed = _row_sums(weights.multiply(agreement))
    shrunk = (agreed + PRIOR_PEERS * mean) / (total + PRIOR_PEERS)
    return np.where(_row_sums(all_weights) > 0, shrunk, np.nan)


def _among_peers(agreement: Any, weights: Any) -> Floats:
    mean = _mean(agreement, weights)
    linked = sparse.csr_array(weights.copy())
    linked.data = np.ones_like(linked.data)
    agreed = _row_sums((weights @ agreement).multiply(weights))
    total = _row_sums((weights @ linked).multiply(weights))
    shrunk = (agreed + PRIOR_PEERS * mean) / (total + PRIOR_PEERS)
    return np.where(_row_sums(weights) > 0, shrunk, np.nan)


def _mean(agreement: Any, weights: Any) -> float:
    return float(weights.multiply(agreement).sum() / max(float(weights.sum()), 1e-9))


def _row_sums(rows: Any) -> Floats:
    return np.asarray(rows.sum(axis=1), dtype=np.float64).reshape(-1)


def _canonical(value: Any) -> Any:
    match value:
        case dict():
            return {str(k): _canonical(v) for k, v in sorted(value.items())}  # pyright: ignore[reportUnknownVariableType, reportUnknownArgumentType, reportUnknownMemberType]
        case list():
            items = [_canonical(v) for v in value]  # pyright: ignore[reportUnknownVariableType]
            return sorted(items, key=lambda item: json.dumps(item, sort_keys=True))
        case str():
            return value.strip().lower()
        case float() if value.is_integer():
            return int(value)
        case _:
            return value


def _leaves(value: Any, key: str) -> list[tuple[str, str]]:
    match value:
        case dict():
            return [leaf for k, v in value.items() for leaf in _leaves(v, str(k))]  # pyright: ignore[reportUnknownVariableType, reportUnknownArgumentType, reportUnknownMemberType]
        case list():
            return [leaf for v in value for leaf in _leaves(v, key)]  # pyright: ignore[reportUnknownVariableType]
        case _:
            return [(key, str(value))]


def _numbers(text: str) -> list[str]:
    found = (n.replace(",", "").rstrip(".") for n in _NUMBER.findall(text))
    return [n for n in found if len(n) >= 2]
