"""A real program proposes: what it is told, what it may take, and what becomes of bad manners."""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path

import pytest

from spanloop.optimizer.candidates.candidate import PatternBrief
from spanloop.optimizer.candidates.command_engine import CommandEngine, CommandSettings
from spanloop.optimizer.configuration import AgentConfiguration
from spanloop.optimizer.models import AnswerInvalid, BudgetExhausted, Lease, ModelFailure
from tests.support.scenarios import call, scenario

BASE = AgentConfiguration(components={"instructions": "Help."})
BRIEF = PatternBrief(
    pattern_id="p",
    category="loop",
    title="t",
    explanation="e",
    predicate="{}",
    examples=[scenario("bad", opening="mail ann@example.org", tape=[call("find")])],
)
ANSWERS = """
import json, os, sys
question = json.load(sys.stdin)
edit = {"component": "instructions", "operation": "add", "text": json.dumps(sorted(os.environ)) + os.getcwd()}
told = {"component": "instructions", "operation": "add", "text": json.dumps(question["scenarios"])}
proposals = [{"intervention": "stop_rule", "edits": [edit]}, {"intervention": "stop_rule", "edits": [told]}]
json.dump({"proposals": proposals, "tokens": 30, "cost_usd": 0.25}, sys.stdout)
"""


def engine(program: str, **settings: object) -> CommandEngine:
    argv = (sys.executable, "-I", "-c", program)
    return CommandEngine(CommandSettings(argv=argv, **settings))  # type: ignore[arg-type]


def lease() -> Lease:
    return Lease(max_tokens=1_000, max_usd=1.0)


def test_a_command_gets_redacted_evidence_and_no_secret_and_pays_what_it_reports(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-secret")
    given = lease()
    asked = engine(ANSWERS, max_tokens=100, max_usd=0.5, environment={"MODE": "x"})
    environment, evidence = asked.propose(BRIEF, BASE, lease=given, n=5)
    text = environment.edits[0].text
    assert "OPENAI_API_KEY" not in text
    assert '"MODE"' in text
    assert "spanloop-command-" in text
    assert "<EMAIL>" in evidence.edits[0].text
    assert (given.tokens, given.usd, given.reserved_tokens) == (30, 0.25, 0)
    assert [p.tokens for p in (environment, evidence)] == [15, 15]
    assert len(asked.propose(BRIEF, BASE, lease=given, n=1)) == 1


@pytest.mark.parametrize(
    ("program", "failure", "told"),
    [
        ("print('no json')", AnswerInvalid, "asked shape"),
        ('print(\'{"proposals": [{"edits": []}]}\')', AnswerInvalid, r"proposals\.0"),
        ("raise SystemExit(3)", ModelFailure, "status 3"),
        ("print('x' * 5000)", ModelFailure, "more than 2000 bytes"),
        ("while True: print('x' * 5000)", ModelFailure, "more than 2000 bytes"),
        ("import os, time; os.close(1); time.sleep(60)", ModelFailure, "did not end"),
    ],
)
def test_bad_manners_are_told_and_charged_in_full(
    program: str, failure: type[Exception], told: str
) -> None:
    given = lease()
    with pytest.raises(failure, match=told):
        engine(program, max_answer_bytes=2_000, max_tokens=100, max_usd=0.5).propose(
            BRIEF, BASE, lease=given, n=1
        )
    assert (given.tokens, given.usd) == (100, 0.5)  # nobody knows what it spent


def test_a_command_that_hangs_is_killed_with_all_that_it_started(tmp_path: Path) -> None:
    pid_file = tmp_path / "pid"
    program = (
        "import subprocess, sys, time\n"
        "child = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(60)'])\n"
        f"open({str(pid_file)!r}, 'w').write(str(child.pid))\n"
        "time.sleep(60)\n"
    )
    with pytest.raises(ModelFailure, match="more than 1 s"):
        engine(program, timeout_s=1.0).propose(BRIEF, BASE, lease=lease(), n=1)
    assert _gone(int(pid_file.read_text()))


def test_what_is_not_there_or_not_affordable_is_not_started() -> None:
    given = lease()
    missing = CommandEngine(CommandSettings(argv=("/no/such/program",), max_tokens=100))
    with pytest.raises(ModelFailure, match="cannot be started"):
        missing.propose(BRIEF, BASE, lease=given, n=1)
    with pytest.raises(BudgetExhausted):
        engine(ANSWERS, max_tokens=2_000).propose(BRIEF, BASE, lease=given, n=1)
    assert (given.tokens, given.reserved_tokens, given.usd) == (0, 0, 0.0)


def test_no_shell_reads_the_command() -> None:
    odd = engine("import sys, json; print(json.dumps({'proposals': []}))")
    assert odd.propose(BRIEF, BASE, lease=lease(), n=1) == []
    shell = CommandEngine(CommandSettings(argv=("echo {} && exit 0",)))
    with pytest.raises(ModelFailure, match="cannot be started"):
        shell.propose(BRIEF, BASE, lease=lease(), n=1)


def _gone(pid: int) -> bool:
    for _ in range(50):
        try:
            os.kill(pid, 0)
        except ProcessLookupError:
            return True
        if Path(f"/proc/{pid}/stat").read_text().split()[2] == "Z":
            return True  # killed, and not yet reaped by init
        time.sleep(0.05)
    return False
