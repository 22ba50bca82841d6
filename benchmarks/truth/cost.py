"""What an analysis costs: CPU seconds and peak memory per 1,000 trajectories."""

from typing import Any

from benchmarks.truth.load import TruthData


def measure(data: TruthData, train: TruthData | None, *, seed: int) -> dict[str, Any]:
    """Return the cost of the analysis that made ``data``; no aim is set for it."""
    del train, seed
    n = int(
        data.client.query(
            f"SELECT count() FROM {data.context.renderer.table('trajectories')} FINAL"  # noqa: S608
        ).result_rows[0][0]
    )
    cpu = {stage.stage: stage.cpu_seconds for stage in data.report.stages}
    return {
        "trajectories": n,
        "cpu_seconds_per_1000": round(sum(cpu.values()) / n * 1000, 2),
        "cpu_seconds_by_stage": {name: round(value, 2) for name, value in cpu.items()},
        "wall_seconds": round(sum(stage.seconds for stage in data.report.stages), 2),
        "peak_rss_bytes": data.peak_rss_bytes,
        "peak_rss_bytes_per_1000": round(data.peak_rss_bytes / n * 1000),
        "aims": [],
    }
