"""Power loss under load: the fault layer under the log and the engine."""

import random
import time
from collections import Counter
from dataclasses import asdict
from pathlib import Path

from benchmarks.durability.audit import BY_SPAN, TRACE_TIMES, execute
from benchmarks.durability.load import Load
from benchmarks.durability.stage import Facts, Scale, Stage, failed
from benchmarks.faultfs import Dropped, Rule, Survival

SURVIVALS: tuple[Survival, ...] = ("synced", "metadata", "mixed", "torn")
TARGETS = (*BY_SPAN, TRACE_TIMES)
LONGEST_LIFE_S = 4.0
FROM_START_SHARE = 0.3  # of the crash points, how many may fall into the start
POINT_WITHIN_S = 8.0


def power_cuts(directory: Path, scale: Scale) -> Facts:
    """Power fails under load, again and again; the disk keeps what was synced, or a random more."""
    stage = Stage(directory)
    rng = random.Random(scale.seed)
    cuts = int(scale.pick(24, 4))
    load = Load(stage.server.grpc, stage.ledger, senders=2, batch=50, spans_per_s=1000)
    dropped: list[Dropped] = []
    try:
        stage.start()
        load.start()
        for number in range(cuts):
            time.sleep(rng.uniform(0.3, LONGEST_LIFE_S))
            stage.server.kill()
            survival = SURVIVALS[number % len(SURVIVALS)]
            dropped.append(stage.layer.cut_power(survival, seed=rng.randrange(1 << 30)))
            stage.start()
        load.finish()
        stage.server.wait_stored()
        stage.server.stop()
        facts = stage.verdict(
            cuts=cuts,
            files_changed=sum(d.files for d in dropped),
            names_changed=sum(d.names for d in dropped),
            cuts_that_dropped_something=sum(1 for d in dropped if d.files or d.names),
        )
    finally:
        stage.close()
    if not facts["cuts_that_dropped_something"]:
        return failed(facts, "no power cut took anything: the layer saw nothing")
    return facts


def crash_points(directory: Path, scale: Scale) -> Facts:
    """Power fails at the n-th sync, rename, unlink or open of a file, start and recovery included."""
    stage = Stage(directory)
    rng = random.Random(scale.seed)
    points = int(scale.pick(60, 4))
    load = Load(stage.server.grpc, stage.ledger, senders=2, batch=20, spans_per_s=400)
    hit: Counter[str] = Counter()
    try:
        load.start()
        for _ in range(points):
            op = rng.choice(("sync", "sync", "rename", "unlink", "open"))
            action = rng.choice(("kill", "kill-after"))
            from_start = rng.random() < FROM_START_SHARE
            nth = rng.randint(1, 60 if from_start else 25)
            stage.spawn(Rule(action, op, "*/volume/*", nth), from_start=from_start)
            died = stage.server.wait_killed(timeout_s=POINT_WITHIN_S)
            hit[op if died else "none"] += 1
            stage.layer.cut_power(rng.choice(SURVIVALS), seed=rng.randrange(1 << 30))
        stage.start()
        load.finish()
        stage.server.wait_stored()
        stage.server.stop()
        facts = stage.verdict(points=points, died_at=dict(hit))
    finally:
        stage.close()
    return facts if hit.total() > hit["none"] else failed(facts, "no crash point was reached")


def power_cut_after_merges(directory: Path, scale: Scale) -> Facts:
    """Parts were merged and the old ones removed; then power fails."""
    return _stored_then_cut(
        directory,
        [
            "ALTER TABLE {table} MODIFY SETTING old_parts_lifetime = 1, cleanup_delay_period = 1, "
            "max_cleanup_delay_period = 1, cleanup_delay_period_random_add = 0, "
            "merge_selecting_sleep_ms = 100, number_of_free_entries_in_pool_to_lower_max_size_of_merge = 0",
        ],
        "metadata",
        batches=12,
        settle_s=8.0,
    )


def control_without_fsync(directory: Path, scale: Scale) -> Facts:
    """Control: with the tables' fsync settings off, the same check must find losses."""
    facts = _stored_then_cut(
        directory,
        ["ALTER TABLE {table} MODIFY SETTING fsync_after_insert = 0, fsync_part_directory = 0"],
        "metadata",
        batches=3,
        settle_s=0.5,
    )
    return {**facts, "passed": facts["lost"] > 0, "expected": "losses: this is the control"}


def _stored_then_cut(
    directory: Path, alterations: list[str], survival: Survival, *, batches: int, settle_s: float
) -> Facts:
    """Store batches under altered tables until the log is empty, cut the power, and look."""
    stage = Stage(directory)
    try:
        stage.start()
        stage.server.stop()
        execute(
            stage.server.data, *(a.format(table=table) for a in alterations for table in TARGETS)
        )
        stage.start()
        for _ in range(batches):
            stage.send()
            stage.server.wait_stored()
        time.sleep(settle_s)
        stage.server.kill()
        dropped = stage.layer.cut_power(survival)
        parts = "SELECT table, max(level) FROM system.parts WHERE active GROUP BY table"
        return stage.verdict(**asdict(dropped), levels=execute(stage.server.data, parts)[0])
    finally:
        stage.close()
