"""Are planted faults found, and found where they are, without alarms in runs that are as they were?

Per kind: one run in five has one fault of it (`injector`), the other four are as recorded; all of them went
well. The product sees the spans only. An alarm of a kind is a symptom of `ALARMS` with at least the weight
from which the product itself calls a symptom sure. Precision counts alarms of that kind only, in runs,
untouched ones included. A step is found if an alarm of the kind names it.
"""

import json
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.truth.faulty_runs import FaultySet, plant, successful_runs, write_requests
from benchmarks.truth.injector import KINDS, Fault
from benchmarks.truth.load import TruthData, receive
from spanloop.optimizer.statistics import wilson
from spanloop.optimizer.symptoms.catalogue import SURE

ALARMS: Mapping[str, Sequence[str]] = {
    "dropped_tool_result": ("missing_result", "empty_result"),
    "swapped_tool": ("invalid_arguments", "unknown_tool"),
    "corrupted_argument": ("argument_mismatch", "fabricated_argument"),
    "repeated_call": ("repeated_call",),
    "truncated_answer": ("truncated_output",),
    "ungrounded_claim": ("ungrounded_claim",),
    "missing_verification": ("missing_peer_step",),
    "early_stop": ("premature_end", "unanswered_user"),
    "ignored_error": ("ignored_error",),
}
"""Which symptoms are an alarm of which kind."""

ALSO_TUNED_ON = {"early_stop": ("tau_bench", "agentrx_tau_retail"), "swapped_tool": ("tau_bench",)}
TUNED_ON: Mapping[str, Sequence[str]] = {
    kind: ("tau2_bench", *ALSO_TUNED_ON.get(kind, ())) for kind in KINDS
}
"""Data sets whose misses or false alarms changed a rule; the others are scored unseen."""

RECALL, PRECISION = 0.9, 0.8
DATABASE = "faults"
FEWEST_RUNS = 20
FEWEST_FAULTS = 10


@dataclass(slots=True, kw_only=True)
class Tally:
    """What was found of one kind in one data set, in runs."""

    faults: int = 0
    found: int = 0
    steps: int = 0
    untouched: int = 0
    false: int = 0

    def add_inplace(self, other: "Tally") -> None:
        """Count ``other`` too."""
        for name in ("faults", "found", "steps", "untouched", "false"):
            setattr(self, name, getattr(self, name) + getattr(other, name))

    def figures(self) -> dict[str, Any]:
        """Return recall, precision, steps and natural alarms with Wilson intervals."""
        return {
            "recall": _share(self.found, self.faults),
            "precision": _share(self.found, self.found + self.false),
            "step_found": _share(self.steps, self.faults),
            "natural_alarms": _share(self.false, self.untouched),
        }


def measure(data: TruthData, train: TruthData | None, *, seed: int) -> dict[str, Any]:
    """Plant, receive, analyse and count; ``train`` is not needed, as nothing is fitted."""
    del train
    sets = successful_runs(data.directory)
    small = sorted(name for name, runs in sets.items() if len(runs) < FEWEST_RUNS)
    sets = {name: runs for name, runs in sets.items() if name not in small}
    planted = {
        kind: [
            faulty
            for name, runs in sets.items()
            if (faulty := plant(name, runs, kind, seed=seed)).faults
        ]
        for kind in KINDS
    }
    few = {
        name
        for name in sets
        if sum(any(f.name == name for f in faulty) for faulty in planted.values()) < len(KINDS) / 2
    }
    planted = {kind: [f for f in faulty if f.name not in few] for kind, faulty in planted.items()}
    planted = {kind: faulty for kind, faulty in planted.items() if faulty}
    skipped = dict.fromkeys(small, f"fewer than {FEWEST_RUNS} runs that went well")
    skipped |= dict.fromkeys(sorted(few), "most kinds find no place in its runs")
    if not planted:
        return {"skipped": skipped or "no run that went well", "aims": []}
    found = _run(planted)
    kinds = {kind: _score(kind, faulty, found) for kind, faulty in planted.items()}
    seconds = {name: round(value, 1) for name, value in found["seconds"].items()}
    return {"kinds": kinds, "skipped": skipped, "stages_s": seconds, "aims": _aims(kinds)}


def _run(planted: Mapping[str, Sequence[FaultySet]]) -> dict[str, Any]:
    """Return what the product holds after it received and analysed the runs of every world."""
    with tempfile.TemporaryDirectory(prefix="spanloop-faults-") as folder:
        work = Path(folder)
        for kind, faulty in planted.items():
            for runs in faulty:
                write_requests(work / "requests" / kind / f"{runs.name}.otlp.gz", runs.requests)
        receive(work / "requests", work / "store", DATABASE)
        module = [sys.executable, "-m", "benchmarks.truth.faulty_runs"]
        program = [*module, str(work / "store"), DATABASE]
        done = subprocess.run(program, check=True, stdout=subprocess.PIPE)
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def _score(kind: str, faulty: Sequence[FaultySet], found: Mapping[str, Any]) -> dict[str, Any]:
    trajectories: dict[str, str] = dict(found["trajectories"])
    lost = [f.trace_id for runs in faulty for f in runs.faults if f.trace_id not in trajectories]
    lost += [trace for runs in faulty for trace in runs.untouched if trace not in trajectories]
    if lost:
        raise SystemExit(f"{len(lost)} traces of {kind} have no trajectory, the first {lost[0]}")
    alarms: dict[str, set[int]] = {}
    for trajectory, symptom, _, step, weight in found["symptoms"]:
        if symptom in ALARMS[kind] and weight >= SURE:
            alarms.setdefault(trajectory, set()).add(step)
    tallies: dict[str, Tally] = {}
    forms: Counter[str] = Counter()
    found_forms: Counter[str] = Counter()
    for runs in faulty:
        tally = tallies.setdefault(runs.name, Tally())
        hit = {f.key for f in runs.faults if trajectories[f.trace_id] in alarms}
        tally.faults, tally.found = len(runs.faults), len(hit)
        tally.steps = sum(
            bool(
                _places(f, trajectories, found["steps"])
                & alarms.get(trajectories[f.trace_id], set())
            )
            for f in runs.faults
        )
        others = [trajectories[trace] for trace in runs.untouched]
        tally.untouched, tally.false = len(others), sum(other in alarms for other in others)
        forms.update(f.form for f in runs.faults)
        found_forms.update(f.form for f in runs.faults if f.key in hit)
    elsewhere = [t for name, t in tallies.items() if name not in TUNED_ON[kind]]
    return {
        "all": _total(tallies.values()).figures(),
        "not_tuned_on": _total(elsewhere).figures() if elsewhere else None,
        "by_set": {name: tally.figures() for name, tally in tallies.items()},
        "recall_by_form": {form: _share(found_forms[form], n) for form, n in forms.items()},
        "tuned_on": list(TUNED_ON[kind]),
        "alarms": list(ALARMS[kind]),
    }


def _places(
    fault: Fault, trajectories: Mapping[str, str], steps: Sequence[Sequence[Any]]
) -> set[int]:
    """Return the numbers of the steps that are the faulty one: by its call, its words, else its span."""
    own = [row for row in steps if row[0] == trajectories[fault.trace_id]]
    named = {row[1] for row in own if fault.call_id and row[2] == fault.call_id}
    named |= {row[1] for row in own if fault.text and row[4].strip() == fault.text.strip()}
    return named or {row[1] for row in own if row[3] in fault.span_ids}


def _total(tallies: Iterable[Tally]) -> Tally:
    total = Tally()
    for tally in tallies:
        total.add_inplace(tally)
    return total


def _share(part: int, whole: int) -> dict[str, Any]:
    interval = wilson(part, whole)
    return {
        "value": round(part / whole, 3) if whole else None,
        "low": interval.low,
        "high": interval.high,
        "n": whole,
    }


def _aims(kinds: Mapping[str, Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Return recall and precision of each kind, on sets it was not tuned on where they hold enough."""
    aims: list[dict[str, Any]] = []
    for kind, score in kinds.items():
        unseen = score["not_tuned_on"]
        where = "not_tuned_on" if unseen and unseen["recall"]["n"] >= FEWEST_FAULTS else "all"
        for name, wanted in (("recall", RECALL), ("precision", PRECISION)):
            measured = score[where][name]["value"]
            aims.append(
                {
                    "aim": f"{name} of {kind} ({where})",
                    "wanted": f">= {wanted}",
                    "measured": score[where][name],
                    "met": None if measured is None else measured >= wanted,
                }
            )
    return aims
