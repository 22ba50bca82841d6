"""kill -9 at random moments of a cycle: same verdicts, no run paid for twice, never beyond the budget.

The engine knows one directory a process, so each store is opened by a process of its own.
"""

import json
import random
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.loop.model_server import COMPLETION_TOKENS, PROMPT_TOKENS
from benchmarks.loop.stage import ModelServer, model_server

VERDICTS = (
    "SELECT c.EditHash, e.Purpose, e.State, e.Verdict, e.ScenariosClosed, round(e.EValue, 6), "
    "round(e.Effect, 6) FROM (SELECT * FROM experiments FINAL) AS e "
    "LEFT JOIN (SELECT * FROM candidates FINAL) AS c ON c.CandidateId = e.CandidateId ORDER BY ALL"
)
BEGUN = "SELECT count() AS n FROM cycles FINAL WHERE Stage = 'candidates' AND State = 'done'"
RUNS = "SELECT count(), uniqExact(RunId) FROM experiment_runs FINAL"
LEDGER = "SELECT sum(Tokens) FROM budget_ledger FINAL"
TRANCHE_TOKENS = 200_000
"""What one lease grows by at most (docs/loop.md)."""

SPANLOOP = (sys.executable, "-c", "from spanloop.service.cli import main; main()")
SLOWEST_S = 3_600.0
BEGINNING_S = 20.0
MOST_BEGINNINGS = 12
IN_FLIGHT = 32
"""Questions at a time: an answer that is on its way when its asker is killed is paid for again."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ended:
    """How a cycle ended, by its store and by the model's counts.

    Attributes:
        verdicts: of every experiment: edit, purpose, state, verdict, scenarios, e-value, effect.
        paid_twice: answers that the model gave to a question it had answered.
        tokens: that the model counted.
        ledger_tokens: that the product's ledger counts as spent, forfeited leases in full.
    """

    seconds: float
    kills: int
    verdicts: Sequence[Sequence[Any]]
    runs: int
    answered: int
    given_up: int
    paid_twice: int
    tokens: int
    ledger_tokens: int


def kill_benchmark(root: Path, *, kills: int, seed: int, delay_s: float) -> Mapping[str, Any]:
    """Go on twice with one cycle from the same store, once left alone and once killed, and compare.

    What a cycle draws, it draws by its id, so both copies are of one cycle that had made its candidates; the
    process that brought it there is killed after `BEGINNING_S` seconds and more, too. Moments count from each
    start, in the first third of what the rest takes alone: so that kills fall into every stage, and not all
    of them before the first or after the last.
    """
    start = root / "start"
    subprocess.run([sys.executable, "-m", "benchmarks.loop.stage", str(start)], check=True)
    with model_server(delay_s) as server:
        beginnings = _begin(start, server)
    with model_server(delay_s) as server:
        alone = _cycle(_copy(start, root / "alone"), server, moments=())
    rng = random.Random(seed)
    moments = [rng.uniform(0.0, alone.seconds / 3) for _ in range(kills)]
    with model_server(delay_s) as server:
        killed = _cycle(_copy(start, root / "killed"), server, moments=moments)
    budget = _budget()
    return {
        "kills_before_candidates": beginnings,
        "kills": killed.kills,
        "moments_s": [round(moment, 2) for moment in moments],
        # Two empty lists are equal and tell nothing.
        "same_verdicts": killed.verdicts == alone.verdicts if alone.verdicts else None,
        "verdicts": killed.verdicts,
        "verdicts_alone": alone.verdicts,
        "runs": [alone.runs, killed.runs],
        "answers": [alone.answered, killed.answered],
        "given_up_at_a_kill": killed.given_up,
        "answers_paid_twice": killed.paid_twice,
        "in_flight_at_most": IN_FLIGHT * killed.kills,
        "tokens": [alone.tokens, killed.tokens],
        "ledger_tokens": [alone.ledger_tokens, killed.ledger_tokens],
        "budget_tokens": budget,
        "within_budget_and_a_lease": killed.tokens <= budget + TRANCHE_TOKENS,
        "seconds": [round(alone.seconds, 1), round(killed.seconds, 1)],
    }


def _cycle(directory: Path, server: ModelServer, *, moments: Sequence[float]) -> Ended:
    """Run ``spanloop optimize`` until it ends by itself, killed at each of the moments after its start."""
    began, killed = time.monotonic(), 0
    config = _write_config(directory, server)
    for moment in moments:
        process = _start(directory, config)
        if _ended_within(process, moment):
            break
        process.send_signal(signal.SIGKILL)
        process.wait()
        killed += 1
    else:
        process = _start(directory, config)
        process.wait(SLOWEST_S)
    if process.returncode:
        raise RuntimeError(f"a cycle failed: {(directory / 'optimize.log').read_text()[-2000:]}")
    seconds = time.monotonic() - began
    verdicts, runs, ledger = _read(directory)
    counts = server.counts()
    return Ended(
        seconds=seconds,
        kills=killed,
        verdicts=verdicts,
        runs=runs,
        answered=counts["answered"],
        given_up=counts["given_up"],
        paid_twice=counts["twice"],
        tokens=(PROMPT_TOKENS + COMPLETION_TOKENS) * counts["answered"],
        ledger_tokens=ledger,
    )


def _begin(directory: Path, server: ModelServer) -> int:
    """Start a cycle and kill it until its candidates are made; return how often it was killed.

    Each start lives a fifth longer than the one before: what a stage had done when it was killed is lost, and
    a busy machine needs longer.
    """
    config = _write_config(directory, server)
    for kills in range(1, MOST_BEGINNINGS + 1):
        process = _start(directory, config)
        if _ended_within(process, BEGINNING_S * 1.2 ** (kills - 1)):
            raise RuntimeError("the cycle ended before it could be killed")
        process.send_signal(signal.SIGKILL)
        process.wait()
        if _asked(directory, BEGUN)[0]["n"]:
            return kills
    raise RuntimeError(f"no candidates after {MOST_BEGINNINGS} starts")


def _ended_within(process: subprocess.Popen[bytes], seconds: float) -> bool:
    try:
        process.wait(seconds)
    except subprocess.TimeoutExpired:
        return False
    return True


def _start(directory: Path, config: Path) -> subprocess.Popen[bytes]:
    command = [
        *SPANLOOP,
        "optimize",
        "--once",
        "--json",
        "-c",
        str(config),
        "--data-dir",
        str(directory),
    ]
    with (directory / "optimize.log").open("ab") as log:
        return subprocess.Popen(command, stdout=log, stderr=log)


def _write_config(directory: Path, server: ModelServer) -> Path:
    path = directory / "loop.yaml"
    settings = {
        "receiver": {"log": {"segment_max_age_s": 1.0, "min_free_bytes": 0}},
        "analysis": {"idle_s": 0},
        "optimizer": {
            "models": {
                "agent": {
                    "model": "openai/scripted-agent",
                    "api_base": server.base_url,
                    "api_key": "none",
                }
            },
            "budget": {"max_tokens": _budget()},
            "candidates": {"tests_a_cycle": 2, "patterns_a_cycle": 2},
            # A small desk: with less gold, its scenarios could not show what its candidates mend.
            "experiments": {"concurrency": IN_FLIGHT, "look_every": 20, "gold_share": 1.0},
        },
    }
    path.write_text(json.dumps(settings), encoding="utf-8")  # JSON is YAML
    return path


def _budget() -> int:
    return 3_000_000


def _read(directory: Path) -> tuple[Sequence[Sequence[Any]], int, int]:
    """Return verdicts, runs and the ledger's tokens of a store that nobody owns."""
    verdicts = [list(row.values()) for row in _asked(directory, VERDICTS)]
    runs = int(next(iter(_asked(directory, RUNS)[0].values())))
    spent = next(iter(_asked(directory, LEDGER)[0].values()))
    return verdicts, runs, int(spent or 0)


def _asked(directory: Path, sql: str) -> list[dict[str, Any]]:
    command = [*SPANLOOP, "query", sql, "--json", "--data-dir", str(directory)]
    answer = subprocess.run(command, check=True, capture_output=True, text=True)
    rows: list[dict[str, Any]] = json.loads(answer.stdout)
    return rows


def _copy(start: Path, to: Path) -> Path:
    shutil.copytree(start, to, symlinks=True, ignore=shutil.ignore_patterns("*.sock", "lock"))
    return to
