"""Scenarios as the store holds them: the facts behind ``spanloop scenarios`` and its ``--json``.

What is in the locked test and in fresh traffic is told only on demand: an agent that is tuned by what they
hold passes them without being better.
"""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from spanloop.processor.errors import PermanentError
from spanloop.service.exploring import Explorer, Row

LOCKED = ("test", "fresh")
SPLITS = ("train", "validation", *LOCKED)
STATES = ("active", "retired", "merged", "dropped")


@dataclass(frozen=True, slots=True, kw_only=True)
class ScenarioFilter:
    """Which scenarios to list; '' means any."""

    agent: str = ""
    split: str = ""
    state: str = ""
    pattern: str = ""
    n: int = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class ScenarioExplorer(Explorer):
    """Answers about scenarios.

    Attributes:
        unlocked: whether contents of test and fresh scenarios are told.
    """

    unlocked: bool = False

    def scenarios(self, wanted: ScenarioFilter) -> Sequence[Row]:
        """List scenarios, those that stand for most traffic first; goals of locked ones are None."""
        return self._rows(
            "select_scenarios",
            agent=wanted.agent,
            split=wanted.split,
            state=wanted.state,
            pattern=wanted.pattern,
            locked=self.unlocked,
            n=wanted.n,
        )

    def scenario(self, name: str) -> Row:
        """Return one scenario; of a locked one without goal and content.

        Raises:
            PermanentError: none, or several, are called so.
        """
        found = self._one("select_scenario", name, "scenario")
        if found["split"] in LOCKED and not self.unlocked:
            return {**found, "goal": None, "content": None}
        return {**found, "content": json.loads(found["content"])}

    def export(self, *, agent: str = "", split: str = "") -> Iterator[Row]:
        """Return the active scenarios in full, in order of id.

        Raises:
            PermanentError: a locked split is asked for and not unlocked.
        """
        if split in LOCKED and not self.unlocked:
            raise PermanentError(
                f"{split} scenarios are locked: an agent tuned by them passes them without being better; "
                "--unlock exports them all the same"
            )
        rows = self._rows("export_scenarios", agent=agent, split=split, locked=self.unlocked)
        return ({**row, "content": json.loads(row["content"])} for row in rows)
