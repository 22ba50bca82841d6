"""An agent's configuration as far as its traces tell it, for agents that never registered one.

What nobody registered cannot be known for sure: the observation says what it rests on and what it could
not see. A registered release always wins over it. Its texts are redacted: they go to models and
into candidates.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from spanloop.optimizer.candidates.edits import Scalar
from spanloop.optimizer.configuration import (
    COMPONENT_NAME,
    MAX_COMPONENT_CHARS,
    AgentConfiguration,
)
from spanloop.optimizer.context import Context
from spanloop.optimizer.scenarios.scenario import ToolSchema
from spanloop.optimizer.scenarios.tool_schemas import read_tool_schemas
from spanloop.processor.redaction import redact

NEWEST = 200
"""Trajectories that are looked at: few enough to be of one release, enough to tell what is constant."""
COMMON = 0.5
"""Share of trajectories whose instructions hold a line, from which it is the agent's and not of one case."""

_PARAMETERS = ("temperature", "top_p", "max_tokens", "frequency_penalty", "presence_penalty")


@dataclass(frozen=True, slots=True, kw_only=True)
class Observation:
    """What traces tell of a configuration.

    Attributes:
        configuration: as far as it is known.
        trajectories: it rests on.
        unseen: what is not known, in sentences.
    """

    configuration: AgentConfiguration
    trajectories: int
    unseen: tuple[str, ...]


def observe(context: Context, agent: str) -> Observation:
    """Return what the newest production traces of ``agent`` tell of its configuration."""
    asked = {"agent": agent, "n": NEWEST}
    systems = [
        (row[0], int(row[1])) for row in context.rows("candidates/select_observed_systems", asked)
    ]
    calls = context.rows("candidates/select_observed_calls", asked)
    instructions, told = common_instructions(systems)
    definitions = _commonest((row[0], int(row[-1])) for row in calls)
    tools = read_tool_schemas(str(definitions)) if definitions is not None else ()
    parameters: dict[str, Scalar] = {
        name: value
        for at, name in enumerate(_PARAMETERS, start=1)
        if (value := _commonest((row[at], int(row[-1])) for row in calls)) is not None
    }
    missing = [name for name in ("temperature", "max_tokens") if name not in parameters]
    unseen = [
        *told,
        *([] if tools else ["no trace carries tool definitions: descriptions are unknown"]),
        *([f"no model call carries {' or '.join(missing)}"] if missing else []),
    ]
    return Observation(
        configuration=AgentConfiguration(
            components={**instructions, **tool_descriptions(tools)},
            tools={tool.name: True for tool in tools},
            parameters=parameters,
            version="observed",
        ),
        trajectories=sum(n for _, n in systems),
        unseen=tuple(unseen),
    )


def common_instructions(
    systems: Sequence[tuple[str | None, int]],
) -> tuple[dict[str, str], list[str]]:
    """Return the component ``instructions``, redacted, and what is not known of it.

    Where no text is that of most trajectories (it names the user, or the date), the lines that most of them
    have are taken: what changes from case to case is data, and no part of a configuration.

    Args:
        systems: text (None = not carried) and trajectories that have it, the most frequent first.
    """
    carried = [(text, n) for text, n in systems if text]
    silent = sum(n for text, n in systems if not text)
    total = sum(n for _, n in carried)
    told = [f"{silent} of {total + silent} trajectories carry no instructions"] if silent else []
    if not carried:
        return {}, [*told, "instructions are unknown"]
    text, n = carried[0]
    if n <= COMMON * total:
        counts: Counter[str] = Counter()
        for other, times in carried:
            counts.update(dict.fromkeys(other.splitlines(), times))
        lines = [
            line for line in text.splitlines() if not line.strip() or counts[line] > COMMON * total
        ]
        told.append(
            f"instructions differ from trajectory to trajectory ({len(carried)} texts in {total}): only "
            "lines that most of them have are taken"
        )
        text = "\n".join(lines).strip()
    elif n < total:
        told.append(f"{total - n} of {total} trajectories carry other instructions")
    text = redact(text)
    if len(text) > MAX_COMPONENT_CHARS:
        return {}, [*told, f"instructions are longer than {MAX_COMPONENT_CHARS} characters"]
    return ({"instructions": text} if text else {}), told


def _commonest(values: Iterable[tuple[Any, int]]) -> Any:
    """Return the value that most calls carry; None where none carries one."""
    counts: Counter[Any] = Counter()
    for value, calls in values:
        if value is not None:
            counts[value] += calls
    return max(counts, key=lambda value: (counts[value], str(value)), default=None)


def tool_descriptions(tools: Iterable[ToolSchema]) -> dict[str, str]:
    """Return the components that describe ``tools``, redacted."""
    named = {
        f"tool.{tool.name}.description": redact(tool.description)
        for tool in tools
        if tool.description
    }
    return {name: text for name, text in named.items() if COMPONENT_NAME.fullmatch(name)}
