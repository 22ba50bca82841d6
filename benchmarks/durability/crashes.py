"""Scenarios: the process dies at an exact moment."""

from pathlib import Path

from benchmarks.durability.stage import Facts, Scale, Stage, failed
from benchmarks.faultfs import Rule, Survival

LOG_FILE = "*/data/wal/traces/*.wal"
NEW_PART = "*/data/db/store/*_*_*_0"  # what an insert renames its part to


def kill_between_sync_and_ack(directory: Path, scale: Scale) -> Facts:
    """The record is on disk, the client hears nothing, and sends the same again after the restart."""
    return _killed_at_sync(directory, "kill-after", survives=True)


def kill_before_sync(directory: Path, scale: Scale) -> Facts:
    """The record is written and not synced; power goes; the client's retry brings it."""
    return _killed_at_sync(directory, "kill", survives=False)


def _killed_at_sync(directory: Path, action: str, *, survives: bool) -> Facts:
    stage = Stage(directory)
    try:
        stage.start(Rule(action, "sync", LOG_FILE, nth=1))
        spans, taken = stage.send_unheard()
        died = stage.server.wait_killed()
        stage.layer.cut_power("synced")
        log_bytes = sum(p.stat().st_size for p in (stage.server.data / "wal/traces").glob("*.wal"))
        stage.start()
        stage.resend(spans)
        stage.server.kill()
        facts = stage.verdict(log_bytes_after_crash=log_bytes)
    finally:
        stage.close()
    if taken or not died:
        return failed(facts, "the server answered before it was killed")
    if (log_bytes > 0) is not survives:
        return failed(facts, "the log does not hold what this moment should leave")
    return facts


def late_retries(directory: Path, scale: Scale) -> Facts:
    """A client repeats a stored request: at once, after a kill -9, and after a power cut."""
    stage = Stage(directory)
    try:
        stage.start()
        spans = stage.send()
        stage.server.wait_stored()
        stage.resend(spans)
        survivals: list[Survival] = ["everything", "synced", "metadata"]
        for survival in survivals:
            stage.server.wait_stored()
            stage.server.kill()
            stage.layer.cut_power(survival)
            stage.start()
            stage.resend(spans)
        stage.server.kill()
        return stage.verdict()
    finally:
        stage.close()


def kill_between_targets(directory: Path, scale: Scale) -> Facts:
    """The insert has reached some target tables when the process dies, or the power fails."""
    moments = [("kill-after", 1), ("kill", 2), ("kill-after", 2), ("kill", 3), ("kill-after", 3)]
    survivals: list[Survival] = ["everything", "synced", "metadata"]
    if scale.quick:
        moments, survivals = moments[1:2], ["everything", "synced"]
    rows: dict[str, Facts] = {}
    for action, nth in moments:
        for survival in survivals:
            name = f"{action} part {nth}, {survival} survives"
            place = directory / f"{action}-{nth}-{survival}"
            rows[name] = _killed_at_part(place, Rule(action, "rename", NEW_PART, nth), survival)
    name = "kill part 2, synced survives, killed again in the repair"
    twice = Rule("kill", "rename", NEW_PART, 2)
    rows[name] = _killed_at_part(directory / "again", twice, "synced", again=True)
    return {"passed": all(row["passed"] for row in rows.values()), "moments": rows}


def _killed_at_part(
    directory: Path, rule: Rule, survival: Survival, *, again: bool = False
) -> Facts:
    stage = Stage(directory)
    try:
        stage.start()
        stage.send()
        stage.server.wait_stored()
        stage.layer.set_rules([rule])
        stage.send()
        died = stage.server.wait_killed()
        stage.layer.cut_power(survival)
        if again:
            stage.spawn(Rule("kill-after", "rename", NEW_PART, 1), from_start=True)
            died &= stage.server.wait_killed()
            stage.layer.cut_power("everything")
        facts = stage.verdict()
    finally:
        stage.close()
    return facts if died else failed(facts, "no part was renamed")
