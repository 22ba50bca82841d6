"""Candidates from a program of the owner: JSON in, JSON out, without a shell, secrets or trust.

It is asked with one JSON object on stdin (docs/candidates.md) and answers with one on stdout. What it answers
is checked and scanned like any proposal.
"""

import json
import os
import signal
import subprocess
import tempfile
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import IO

from pydantic import ConfigDict, Field, ValidationError

from spanloop.optimizer.candidates.candidate import (
    PatternBrief,
    Proposal,
    with_shared_cost,
)
from spanloop.optimizer.candidates.evidence import evidence_lines
from spanloop.optimizer.candidates.model_diff_engine import ProposedEdits
from spanloop.optimizer.configuration import AgentConfiguration
from spanloop.optimizer.models import AnswerInvalid, Lease, ModelFailure

FORMAT = 1
_GRACE_S = 2.0
PASSED_ON = ("PATH", "LANG", "LC_ALL", "TZ", "SYSTEMROOT")
"""Variables of the environment that a command gets; none holds a secret."""


class CommandAnswer(ProposedEdits):
    """The answer, with what the command says it spent; None = it does not know what it cost."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    tokens: int = Field(default=0, ge=0)
    cost_usd: float | None = Field(default=0.0, ge=0)


@dataclass(frozen=True, slots=True, kw_only=True)
class CommandSettings:
    """How a command is run.

    Attributes:
        argv: program and arguments; no shell reads them.
        timeout_s: seconds until it is killed with all that it started.
        max_answer_bytes: of stdout, at which it is killed.
        max_tokens: of models that one call may use, set aside before it starts; 0 = it uses none. A command
            that reports more is charged what it reports.
        max_usd: the same in US dollars.
        environment: variables for it beside `PASSED_ON`.
    """

    argv: tuple[str, ...]
    timeout_s: float = 300.0
    max_answer_bytes: int = 1_000_000
    max_tokens: int = 0
    max_usd: float = 0.0
    environment: Mapping[str, str] | None = None


class CommandNotStarted(ModelFailure):
    """There is no such program, or it may not be run; nothing was spent."""


class CommandEngine:
    """Runs a command once for each pattern."""

    name = "command"

    def __init__(self, settings: CommandSettings) -> None:
        self._settings = settings

    def propose(
        self, brief: PatternBrief, configuration: AgentConfiguration, *, lease: Lease, n: int
    ) -> Sequence[Proposal]:
        """Return at most ``n`` of the command's proposals.

        Raises:
            BudgetExhausted: what it may use is not left; it was not started.
            ModelFailure: it could not be started, failed, or took too long or too much room.
            AnswerInvalid: it did not answer in the shape that is asked for.
        """
        settings = self._settings
        question = make_question(brief, configuration, n=n, max_tokens=settings.max_tokens)
        with lease.reserve(settings.max_tokens, settings.max_usd) as reservation:
            try:
                output = run_command(settings, question)
            except CommandNotStarted:
                reservation.cancel()
                raise
            answer = _checked(output)
            reservation.settle(answer.tokens, answer.cost_usd)
        proposals = [
            Proposal(
                engine=self.name,
                intervention=proposal.intervention,
                edits=proposal.edits,
                rationale=proposal.rationale,
            )
            for proposal in answer.proposals[:n]
        ]
        return with_shared_cost(proposals, tokens=answer.tokens, cost_usd=answer.cost_usd)


def _checked(output: bytes) -> CommandAnswer:
    try:
        return CommandAnswer.model_validate_json(output)
    except ValidationError as invalid:
        places = sorted({".".join(map(str, e["loc"])) for e in invalid.errors(include_input=False)})
    raise AnswerInvalid(
        f"the command's answer is not of the asked shape at: {', '.join(places)[:200] or 'its beginning'}"
    )


def make_question(
    brief: PatternBrief, configuration: AgentConfiguration, *, n: int, max_tokens: int
) -> bytes:
    """Return what a command is asked, as one line of JSON; texts of traces are redacted and capped."""
    head, scenarios = evidence_lines(brief, configuration)
    question = {
        "format": FORMAT,
        "n": n,
        "max_tokens": max_tokens,
        "configuration": head,
        "scenarios": scenarios,
        "answer_schema": CommandAnswer.model_json_schema(),
    }
    return json.dumps(question, ensure_ascii=False).encode()


def run_command(settings: CommandSettings, question: bytes) -> bytes:
    """Return what the command wrote to stdout.

    Its working directory is empty and goes with it; so does every process that it started. What it writes to
    stderr is thrown away: it may quote traces.
    """
    kept = {name: os.environ[name] for name in PASSED_ON if name in os.environ}
    with tempfile.TemporaryDirectory(prefix="spanloop-command-") as folder:
        try:
            process = subprocess.Popen(
                list(settings.argv),
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                cwd=folder,
                env={**kept, "HOME": folder, "TMPDIR": folder, **(settings.environment or {})},
                start_new_session=True,
            )
        except OSError as error:
            raise CommandNotStarted(
                "command", f"the command cannot be started: {error.strerror}"
            ) from None
        try:
            return _converse(process, settings, question)
        finally:
            _kill(process)
            process.wait()


def _converse(
    process: "subprocess.Popen[bytes]", settings: CommandSettings, question: bytes
) -> bytes:
    if process.stdin is None or process.stdout is None:
        raise RuntimeError("a command was started without pipes")
    reader = _Reader(process.stdout, settings.max_answer_bytes)
    writer = threading.Thread(target=_write, args=(process.stdin, question), daemon=True)
    reader.start()
    writer.start()
    reader.join(settings.timeout_s)
    if reader.is_alive():
        raise ModelFailure("timeout", f"the command took more than {settings.timeout_s:g} s")
    if reader.overflow:
        raise ModelFailure(
            "output", f"the command wrote more than {settings.max_answer_bytes} bytes"
        )
    try:
        status = process.wait(timeout=_GRACE_S)
    except subprocess.TimeoutExpired:
        raise ModelFailure("timeout", "the command closed its output and did not end") from None
    if status != 0:
        raise ModelFailure("command", f"the command ended with status {status}")
    return reader.output


class _Reader(threading.Thread):
    """Reads a pipe to its end or to ``limit`` bytes, then closes it; ``overflow`` says which."""

    def __init__(self, pipe: IO[bytes], limit: int) -> None:
        super().__init__(daemon=True)
        self._pipe = pipe
        self._limit = limit
        self.output = b""
        self.overflow = False

    def run(self) -> None:
        with self._pipe as pipe:
            self.output = pipe.read(self._limit + 1)
        self.overflow = len(self.output) > self._limit


def _write(pipe: IO[bytes], question: bytes) -> None:
    try:
        with pipe:
            pipe.write(question)
    except OSError:
        return  # it does not read all of its input; what it answers is judged by itself


def _kill(process: "subprocess.Popen[bytes]") -> None:
    try:
        os.killpg(process.pid, signal.SIGKILL)
    except ProcessLookupError:
        return  # the whole group has ended
