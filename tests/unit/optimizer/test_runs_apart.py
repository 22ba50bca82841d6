"""No statement reads runs of experiments as production by oversight."""

import re
from importlib.resources import files

BOTH = {
    "assembly/insert_changed_unfinished": "what a killed analysis left undone",
    "assembly/insert_idle": "open ones only; a run never is",
    "assembly/insert_members": "by id",
    "assembly/insert_steps_beyond": "by id",
    "assembly/insert_steps_lost": "by id",
    "assembly/insert_trajectories_idle": "by id",
    "assembly/insert_trajectories_lost": "by id",
    "feedback/select_sampled": "by the ids of a sample, which was drawn from production",
    "feedback/select_target": "a person may label a run",
    "patterns/select_sample": "by the ids of pattern_sample, which holds production alone",
    "symptoms/insert_claim_findings": "by id: symptoms of runs are found too",
    "symptoms/insert_grounding_findings": "by id: symptoms of runs are found too",
    "symptoms/insert_quantity_findings": "by id: symptoms of runs are found too",
    "symptoms/insert_steps": "by id: symptoms of runs are found too",
}
"""Statements that read runs and production alike, and why that moves no figure of production."""


def statements() -> dict[str, str]:
    """Every statement of the optimizer by ``<stage>/<name>``."""
    return {
        f"{stage.name}/{entry.name.removesuffix('.sql')}": entry.read_text(encoding="utf-8")
        for stage in files("spanloop.optimizer").iterdir()
        if stage.is_dir() and stage.joinpath("sql").is_dir()
        for entry in stage.joinpath("sql").iterdir()
        if entry.name.endswith(".sql")
    }


def test_who_reads_trajectories_says_whether_runs_are_meant() -> None:
    unsaid = [
        name
        for name, text in statements().items()
        if name not in BOTH
        and "TrajectoryId IN {ids:Array(String)}" not in text
        and len(re.findall(r"FROM \{\{ table\('trajectories'\) \}\}", text))
        > len(re.findall(r"\bRunId\b", text))
    ]
    assert unsaid == [], "say RunId = '' for production, or list it in BOTH with the reason"


def test_exceptions_are_statements() -> None:
    assert set(BOTH) <= set(statements())
