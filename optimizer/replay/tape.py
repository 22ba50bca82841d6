"""Recordings as the world reads them: calls in order, each with the writes before it."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from spanloop.optimizer.replay.arguments import (
    Json,
    canonical,
    identifiers,
    members,
    normal,
    parsed,
)
from spanloop.optimizer.scenarios.scenario import TapeCall


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Act:
    """A call with its answer, recorded or of the running episode.

    Attributes:
        arguments: JSON text as the caller wrote it.
        form: the arguments in their normal form.
        members: of the normal form, if it is an object.
        result: None where it is not carried.
        failed: the tool said so: it changed nothing.
        names: identifiers among the arguments.
    """

    tool: str
    arguments: str
    form: str
    members: Mapping[str, Json] = field(repr=False)
    result: str | None = field(repr=False)
    failed: bool
    names: frozenset[str]

    @property
    def key(self) -> tuple[str, str]:
        """Tool and normal form."""
        return self.tool, self.form


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Moment:
    """A recorded call where it stood: ``before`` are the calls of its recording up to it."""

    act: Act
    recording: int
    before: Sequence[Act]


def act(tool: str, arguments: str, *, result: str | None, failed: bool) -> Act:
    """Make an `Act`."""
    given = parsed(arguments)
    value = normal(given)
    return Act(
        tool=tool,
        arguments=arguments,
        form=canonical(value),
        members=members(value),
        result=result,
        failed=failed,
        names=identifiers(given),
    )


def recordings(tape: Iterable[TapeCall]) -> Sequence[Sequence[Act]]:
    """Take a tape apart into its recordings, each in order; recordings in the order they first appear."""
    found: dict[str, list[TapeCall]] = {}
    for call in tape:
        found.setdefault(call.trajectory, []).append(call)
    return [
        [
            act(call.tool, call.arguments, result=call.result, failed=call.status == "error")
            for call in sorted(calls, key=lambda call: call.position)
        ]
        for calls in found.values()
    ]


def moments(recorded: Sequence[Sequence[Act]]) -> Sequence[Moment]:
    """Return every recorded call as a `Moment`."""
    return [
        Moment(act=act, recording=number, before=calls[:position])
        for number, calls in enumerate(recorded)
        for position, act in enumerate(calls)
    ]
