"""Bounded edits of a configuration: applying them, what they may do at most, when two are the same.

An edit names the passage it takes away, and that passage occurs exactly once: what a candidate does is
plain from the edit alone, and a long prompt stays intact but for it.
"""

import difflib
import json
import math
import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pydantic import ValidationError

from spanloop.optimizer.candidates.candidate import Edit, Operation
from spanloop.optimizer.candidates.texts import normalised
from spanloop.optimizer.configuration import AgentConfiguration, digest
from spanloop.processor.errors import PermanentError

Scalar = float | int | bool | str

SETTABLE: Mapping[str, tuple[float, float] | None] = {
    "temperature": (0, 2),
    "top_p": (0, 1),
    "max_tokens": (1, 200_000),
    "max_steps": (1, 200),
    "frequency_penalty": (-2, 2),
    "presence_penalty": (-2, 2),
    "parallel_tool_calls": None,
    "tool_choice": None,
    "reasoning_effort": None,
}
"""Parameters that may be set though the configuration does not name them, and between what: none chooses a
model or a host."""

_TOOL = re.compile(r"tools\.([A-Za-z0-9_.:-]{1,128})")
_PARAMETER = re.compile(r"parameters\.([A-Za-z_][A-Za-z0-9_]{0,63})")


class EditRefused(PermanentError):
    """An edit that cannot be applied to this configuration, or does more than it may."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EditLimits:
    """How much a candidate may change.

    Attributes:
        edits: of one candidate.
        chars_an_edit: characters that one edit adds, or takes away.
        chars_a_candidate: characters that all its edits add.
        share_of_component: of a component's characters that a candidate may take away, 0 to 1.
        free_chars: characters that may go from a component whatever their share: a short text can be
            rewritten.
        growth: share by which the text for the model may grow, 0 to 1 …
        free_growth_chars: … or by so many characters, whichever is more.
    """

    edits: int = 6
    chars_an_edit: int = 2_000
    chars_a_candidate: int = 4_000
    share_of_component: float = 0.3
    free_chars: int = 400
    growth: float = 0.5
    free_growth_chars: int = 1_500


def apply_edits(configuration: AgentConfiguration, edits: Sequence[Edit]) -> AgentConfiguration:
    """Return ``configuration`` with ``edits`` applied one after the other.

    Raises:
        EditRefused: a passage does not occur exactly once, a name or value is none, or nothing changes.
    """
    if not edits:
        raise EditRefused("there is no edit to apply")
    components = dict(configuration.components)
    tools = dict(configuration.tools)
    parameters = dict(configuration.parameters)
    for edit in edits:
        match edit.operation:
            case "enable" | "disable":
                _switch_inplace(tools, edit)
            case "set":
                _set_inplace(parameters, edit)
            case _:
                _rewrite_inplace(components, edit)
    try:
        edited = AgentConfiguration(components=components, tools=tools, parameters=parameters)
    except ValidationError as invalid:
        told = "; ".join(str(e["msg"]) for e in invalid.errors(include_input=False))
        raise EditRefused(f"the edited configuration is invalid: {told}") from None
    if edited.hash == configuration.hash:
        raise EditRefused("the edits change nothing")
    return edited


def _rewrite_inplace(components: dict[str, str], edit: Edit) -> None:
    before = components.get(edit.component, "")
    if edit.operation == "add":
        if edit.passage or not edit.text.strip():
            raise EditRefused(f"an addition to {edit.component!r} has a text and no passage")
        components[edit.component] = "\n\n".join(filter(None, (before.rstrip(), edit.text.strip())))
        return
    if edit.component not in components:
        raise EditRefused(f"the configuration has no component {edit.component!r}")
    if not edit.passage or (edit.operation == "delete" and edit.text):
        raise EditRefused(
            f"to {edit.operation} in {edit.component!r} takes a passage"
            f"{' and no text' if edit.operation == 'delete' else ''}"
        )
    found = before.count(edit.passage)
    if found != 1:
        raise EditRefused(
            f"the passage to {edit.operation} occurs {found} times in {edit.component!r}; it must occur once"
        )
    after = before.replace(edit.passage, edit.text)
    if after.strip():
        components[edit.component] = after
    else:
        del components[edit.component]


def _switch_inplace(tools: dict[str, bool], edit: Edit) -> None:
    named = _TOOL.fullmatch(edit.component)
    if named is None or edit.passage or edit.text:
        raise EditRefused(f"to {edit.operation} takes tools.<name> alone, not {edit.component!r}")
    offered = edit.operation == "enable"
    if tools.get(named[1], True) == offered:
        raise EditRefused(f"tool {named[1]!r} is {'' if offered else 'not '}offered already")
    tools[named[1]] = offered


def _set_inplace(parameters: dict[str, Scalar], edit: Edit) -> None:
    named = _PARAMETER.fullmatch(edit.component)
    if named is None or edit.passage:
        raise EditRefused(f"to set takes parameters.<name> and a value, not {edit.component!r}")
    name, before = named[1], parameters.get(named[1])
    if before is None and name not in SETTABLE:
        raise EditRefused(
            f"parameter {name!r} is neither in the configuration nor one that may be set"
        )
    value = _scalar(edit)
    if before is not None and _kind(before) is not _kind(value):
        raise EditRefused(f"parameter {name!r} is a {_kind(before).__name__}")
    bounds = SETTABLE.get(name)
    if bounds and not (_kind(value) is float and bounds[0] <= float(value) <= bounds[1]):
        raise EditRefused(f"parameter {name!r} is a number from {bounds[0]} to {bounds[1]}")
    parameters[name] = value


def _scalar(edit: Edit) -> Scalar:
    try:
        value: Any = json.loads(edit.text)
    except (ValueError, RecursionError):
        value = None
    finite = not isinstance(value, float) or math.isfinite(value)
    if not isinstance(value, (bool, int, float, str)) or not finite:
        raise EditRefused(f"the value for {edit.component!r} is no number, text or truth in JSON")
    return value


def _kind(value: Scalar) -> type:
    """Return what ``value`` is; a whole number may take the place of another number."""
    return float if isinstance(value, (int, float)) and not isinstance(value, bool) else type(value)


def oversize(
    configuration: AgentConfiguration, edits: Sequence[Edit], limits: EditLimits
) -> list[str]:
    """Return in what ``edits`` exceed ``limits``; [] = in nothing."""
    reasons = [f"{len(edits)} edits; at most {limits.edits}"] if len(edits) > limits.edits else []
    taken: Counter[str] = Counter()
    for edit in edits:
        taken[edit.component] += len(edit.passage)
        largest = max(len(edit.text), len(edit.passage))
        if largest > limits.chars_an_edit:
            reasons.append(
                f"{edit.component}: an edit of {largest} characters; at most {limits.chars_an_edit}"
            )
    for component, chars in taken.items():
        whole = len(configuration.components.get(component, ""))
        most = max(limits.free_chars, int(limits.share_of_component * whole))
        if chars > most:
            reasons.append(f"{component}: takes away {chars} of {whole} characters; at most {most}")
    added = sum(len(edit.text) for edit in edits)
    if added > limits.chars_a_candidate:
        reasons.append(f"adds {added} characters; at most {limits.chars_a_candidate}")
    return [*reasons, *_overgrown(configuration, edits, limits)]


def _overgrown(
    configuration: AgentConfiguration, edits: Sequence[Edit], limits: EditLimits
) -> list[str]:
    before = sum(map(len, configuration.components.values()))
    growth = sum(len(edit.text) - len(edit.passage) for edit in edits)
    most = max(limits.free_growth_chars, int(limits.growth * before))
    if growth <= most:
        return []
    return [
        f"the text for the model grows by {growth} to {before + growth} characters; at most {most}"
    ]


def edit_hash(edits: Iterable[Edit]) -> str:
    """Return 32 hex digits; the same for edits that differ in order, case, spaces and punctuation only.

    A value that is set is compared as JSON, since its punctuation counts.
    """
    return digest(
        sorted(
            [
                edit.component,
                edit.operation,
                normalised(edit.passage),
                edit.text.strip() if edit.operation == "set" else normalised(edit.text),
            ]
            for edit in edits
        )
    )


def edits_between(before: AgentConfiguration, after: AgentConfiguration) -> tuple[Edit, ...]:
    """Return edits that make ``before`` into ``after``, for engines that rewrite whole texts.

    Each changed run of lines becomes one edit; its passage is widened by neighbouring lines until it
    occurs once.

    Raises:
        EditRefused: no edits lead there: a switch or a parameter was removed.
    """
    edits: list[Edit] = []
    for name in sorted({*before.components, *after.components}):
        edits += _text_edits(name, before.components.get(name, ""), after.components.get(name, ""))
    for tool in sorted({*before.tools, *after.tools}):
        offered = after.tools.get(tool, True)
        if before.tools.get(tool, True) != offered:
            operation: Operation = "enable" if offered else "disable"
            edits.append(Edit(component=f"tools.{tool}", operation=operation))
    if missing := sorted(set(before.parameters) - set(after.parameters)):
        raise EditRefused(f"parameter {missing[0]!r} was removed; it can only be set")
    for name, value in sorted(after.parameters.items()):
        if before.parameters.get(name) != value:
            edits.append(
                Edit(component=f"parameters.{name}", operation="set", text=json.dumps(value))
            )
    return tuple(edits)


def _text_edits(component: str, before: str, after: str) -> list[Edit]:
    kept, now = before.rstrip(), after.rstrip()
    if kept == now:
        return []
    if not kept or now.startswith(f"{kept}\n"):
        return [Edit(component=component, operation="add", text=now[len(kept) :].strip())]
    old, new = before.splitlines(keepends=True), after.splitlines(keepends=True)
    matcher = difflib.SequenceMatcher(None, old, new, autojunk=False)
    edits: list[Edit] = []
    for tag, i1, i2, j1, j2 in matcher.get_opcodes():
        if tag != "equal":
            passage, text = _once(before, old, new[j1:j2], (i1, i2))
            edits.append(_exchange(component, passage, text))
    return (
        edits if _leads(component, edits, before, after) else [_exchange(component, before, after)]
    )


def _exchange(component: str, passage: str, text: str) -> Edit:
    operation: Operation = "replace" if text else "delete"
    return Edit(component=component, operation=operation, passage=passage, text=text)


def _leads(component: str, edits: Sequence[Edit], before: str, after: str) -> bool:
    """Return whether ``edits`` make ``before`` into ``after``: widened passages may meet each other."""
    try:
        made = apply_edits(AgentConfiguration(components={component: before}), edits)
    except EditRefused:
        return False
    return made.components.get(component, "") == after


def _once(
    before: str, old: Sequence[str], new: Sequence[str], span: tuple[int, int]
) -> tuple[str, str]:
    """Return the changed lines and what they become, with lines before or after until they occur once."""
    first, last = span
    start, end = first, last
    while True:
        passage = "".join(old[start:end])
        if passage and before.count(passage) == 1:
            break
        if start == 0 and end == len(old):
            break
        start, end = (start - 1, end) if start > 0 else (start, end + 1)
    return passage, "".join([*old[start:first], *new, *old[last:end]])


def diff(edits: Iterable[Edit]) -> str:
    """Return ``edits`` for people, in the manner of a unified diff: what goes, then what comes.

    >>> print(diff([Edit(component="context.x", operation="replace", passage="Be bad.", text="Be kind.")]))
    --- context.x
    +++ context.x
    -Be bad.
    +Be kind.
    """
    lines: list[str] = []
    for edit in edits:
        comes = edit.operation if edit.operation in ("enable", "disable") else edit.text
        lines += [f"--- {edit.component}", f"+++ {edit.component}"]
        lines += [f"-{line}" for line in edit.passage.splitlines()]
        lines += [f"+{line}" for line in comes.splitlines()]
    return "\n".join(lines)
