"""The library as a file: JSON lines, a header first. Entries travel, evidence does not.

A file may come from anybody. It is data: bounded in size, of one schema, without links, addresses, hidden
characters or orders (the scans of candidates). What comes in is a hypothesis with an empty record here, under
an id made of its own content; whatever the file claims to have measured is not believed.
"""

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from typing import Literal, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from spanloop.optimizer.candidates.candidate import Edit, Intervention, Proposal
from spanloop.optimizer.candidates.scan import scan
from spanloop.optimizer.configuration import AgentConfiguration
from spanloop.optimizer.strategies.distilling import identity, unslotted
from spanloop.optimizer.strategies.standing import record_of
from spanloop.optimizer.strategies.strategy import Strategy, Trial
from spanloop.processor.errors import PermanentError

T = TypeVar("T", bound=BaseModel)

SCHEMA_VERSION: Literal[1] = 1
MAX_LINE_CHARS = 40_000
MAX_ENTRIES = 10_000
OPERATIONS = frozenset({"add", "enable", "disable", "set"})
"""What an edit of an entry may do: the others take away a passage of one agent's text."""


class ImportRefused(PermanentError):
    """A file that is no library, or holds what must not come in; names the line, never its content."""


class _Line(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Header(_Line):
    """The first line."""

    format: Literal["spanloop.strategies"]
    version: Literal[1]


class Measured(_Line):
    """What the exporting side measured; told to people, believed by nobody."""

    trials: int = Field(ge=0)
    shipped: int = Field(ge=0)
    harmed: int = Field(ge=0)
    transferred: int = Field(ge=0)


class Portable(_Line):
    """An entry as it travels."""

    title: str = Field(min_length=3, max_length=200)
    category: str = Field(pattern=r"^[a-z][a-z0-9_]{0,63}$")
    intervention: Intervention
    applies_when: str = Field(max_length=1_000)
    not_when: str = Field(default="", max_length=1_000)
    principle: str = Field(max_length=1_000)
    edit_template: tuple[Edit, ...] = Field(default=(), max_length=6)
    measured: Measured | None = None

    @field_validator("edit_template")
    @classmethod
    def _edits_are_bounded(cls, edits: tuple[Edit, ...]) -> tuple[Edit, ...]:
        for edit in edits:
            if edit.operation not in OPERATIONS or edit.passage:
                raise ValueError(f"an entry may not {edit.operation} a passage")
            if len(edit.text) > 2_000 or len(edit.component) > 200:
                raise ValueError("an edit is too long")
        return edits


def export_lines(strategies: Sequence[Strategy], trials: Sequence[Trial]) -> Iterator[str]:
    """Yield the file: a header, then one entry a line, retired ones left out.

    Names of agents, patterns and experiments stay here.
    """
    yield Header(format="spanloop.strategies", version=SCHEMA_VERSION).model_dump_json()
    for strategy in strategies:
        if strategy.state == "retired":
            continue
        record = record_of([t for t in trials if t.strategy_id == strategy.strategy_id])
        yield Portable(
            title=strategy.title,
            category=strategy.category,
            intervention=strategy.intervention,
            applies_when=strategy.applies_when,
            not_when=strategy.not_when,
            principle=strategy.principle,
            edit_template=strategy.edit_template,
            measured=Measured(
                trials=record.trials,
                shipped=record.shipped,
                harmed=record.harmed,
                transferred=record.transferred,
            ),
        ).model_dump_json()


def import_lines(lines: Iterable[str], *, now: datetime, project: str = "") -> list[Strategy]:
    """Return the entries of a file, all or none.

    Raises:
        ImportRefused: the file is no library, too large, or an entry holds what must not come in.
    """
    found: dict[str, Strategy] = {}
    number = 0
    for number, line in enumerate(lines, start=1):
        if len(line) > MAX_LINE_CHARS or number > MAX_ENTRIES + 1:
            raise ImportRefused(f"line {number}: too long, or too many entries")
        if number == 1:
            _parsed(Header, line, number)
        elif line.strip():
            strategy = _strategy(_parsed(Portable, line, number), number, (now, project))
            found.setdefault(strategy.strategy_id, strategy)
    if number == 0:
        raise ImportRefused("the file is empty")
    return list(found.values())


def _parsed(shape: type[T], line: str, number: int) -> T:
    try:
        return shape.model_validate_json(line)
    except ValidationError as invalid:
        problems = "; ".join(
            f"{'.'.join(map(str, error['loc'])) or 'line'}: {error['msg']}"
            for error in invalid.errors(include_input=False, include_url=False)[:5]
        )
        raise ImportRefused(f"line {number}: {problems}") from None


def _strategy(entry: Portable, number: int, at: tuple[datetime, str]) -> Strategy:
    now, project = at
    words = f"{entry.title}\n{entry.applies_when}\n{entry.not_when}\n{entry.principle}"
    proposal = Proposal(
        engine="library",
        intervention=entry.intervention,
        edits=unslotted(
            [*entry.edit_template, Edit(component="context.words", operation="add", text=words)]
        ),
    )
    reasons = scan(proposal, configuration=AgentConfiguration(), train=(), hidden=())
    if reasons:
        raise ImportRefused(f"line {number}: {'; '.join(reasons[:3])}")
    return Strategy(
        strategy_id=identity(entry.category, entry.intervention, entry.edit_template),
        project=project,
        title=entry.title,
        category=entry.category,
        intervention=entry.intervention,
        applies_when=entry.applies_when,
        not_when=entry.not_when,
        principle=entry.principle,
        edit_template=entry.edit_template,
        source="imported",
        created_at=now,
    )
