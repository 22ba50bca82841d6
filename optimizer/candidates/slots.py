"""What train scenarios show that is safe to write into a configuration: what templates are filled with.

Traces are hostile, so nothing that somebody wrote is taken over. A slot holds one of four things: the name
of a tool or of an argument as the agent itself declares it; a word that stands in the agent's own
configuration; a short constant that a tool returned to several different users; a number.
"""

import json
import re
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, cast

from spanloop.optimizer.candidates.candidate import Edit, PatternBrief
from spanloop.optimizer.candidates.recoveries import find_recoveries
from spanloop.optimizer.configuration import AgentConfiguration, guided_tool
from spanloop.optimizer.scenarios.scenario import Scenario, TapeCall

if TYPE_CHECKING:
    from spanloop.optimizer.patterns.predicates import Term

SAFE_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_.:-]{0,63}")
MIN_CONTRAST = 0.25
"""Difference between the shares of satisfied and of failing scenarios that call a tool."""
MIN_CLUSTERS = 3
"""Different users or conversations that must have been told a constant."""
SATISFIED = 0.5

_CONSTANT = re.compile(r"[A-Za-z0-9€$£%][A-Za-z0-9 ,€$£%:/-]{0,38}")
_LONG_NUMBER = re.compile(r"\d{5,}|\d+-\d+-|(?=\w*[A-Za-z])(?=\w*\d{3})\w+")
_WORD = re.compile(r"[a-z]{4,24}")
_COMMON = frozenset(
    re.findall(
        r"\w+",
        """about after again also always another anything because been before being could does done each else
        ever every from give given have help here into just know like made make many more most much must need
        never
        nothing only other over please said same should since some such take tell than thank thanks that their
        them then there these they this those through told until used using want wants were what when where
        which while will with within without would your yours yourself""",
    )
)
"""English words that say nothing of what a request is about."""
_PLACEHOLDER = re.compile(r"\{([a-z_]+)\}")


def fill_template(
    edits: Sequence[Edit], brief: PatternBrief, configuration: AgentConfiguration
) -> tuple[Edit, ...] | None:
    """Return ``edits`` with each ``{slot}`` of `find_slots` filled in; None where one cannot be filled."""
    return fill(edits, find_slots(brief, configuration))


def fill(edits: Sequence[Edit], slots: Mapping[str, str]) -> tuple[Edit, ...] | None:
    """Return ``edits`` with ``slots`` filled in; None where one is missing.

    Names in braces are the whole language: a template may come from outside, so there is no `str.format`.
    """
    wanted = {
        name
        for edit in edits
        for text in (edit.component, edit.passage, edit.text)
        for name in _PLACEHOLDER.findall(text)
    }
    if wanted - slots.keys():
        return None

    def filled(text: str) -> str:
        return _PLACEHOLDER.sub(lambda match: slots[match[1]], text)

    return tuple(
        edit.model_copy(
            update={
                "component": filled(edit.component),
                "passage": filled(edit.passage),
                "text": filled(edit.text),
            }
        )
        for edit in edits
    )


def find_slots(brief: PatternBrief, configuration: AgentConfiguration) -> dict[str, str]:
    """Return what a template for ``brief`` can be filled with; what is not known is not in it.

    ``tool``: satisfied peers call it, failing runs do not; ``wrong_tool``: the reverse; ``failing_tool``,
    ``repeated_tool``: in failing runs; ``changing_tool``: it changes something; ``reading_tool``: satisfied
    peers look something up with it; ``required``: required arguments of the tool that arguments go wrong
    of (``arguments_tool``); ``fact_name`` and ``fact_value``, returned by ``fact_tool``: a constant of the
    world; ``topics``: what the requests are about; ``steps``: calls that satisfied peers need at most.

    What failing runs themselves show (`spanloop.optimizer.candidates.recoveries`) comes before that contrast,
    and adds ``tool_argument``, ``checking_tool`` and ``late_tool``.
    """
    peers = satisfied(brief.counterexamples)
    known = tools_known(configuration, [*brief.examples, *brief.counterexamples])
    slots: dict[str, str] = {}
    for recovery in find_recoveries(brief, known):
        slots |= recovery.slots
    slots = {**slots, **_tool_slots(brief, peers, known), **slots}
    slots |= _argument_slots(brief, slots)
    slots |= _constant(brief.examples, peers)
    if topics := _topics(brief.examples, configuration):
        slots["topics"] = ", ".join(topics)
    if peers:
        slots["steps"] = str(max(len(peer.content.tape) for peer in peers) + 2)
    return slots


def satisfied(scenarios: Sequence[Scenario]) -> list[Scenario]:
    """Return those that production satisfied, as far as it is known; all of them where it is of none."""
    known = [s for s in scenarios if s.production_satisfied is not None]
    if not known:
        return list(scenarios)
    return [s for s in known if (s.production_satisfied or 0.0) >= SATISFIED]


def tools_known(configuration: AgentConfiguration, scenarios: Iterable[Scenario]) -> frozenset[str]:
    """Return the names of tools as the agent declares them; where it declares none, those called twice."""
    names = set(configuration.tools)
    for component in configuration.components:
        described = component.removeprefix("tool.").removesuffix(".description")
        if component.startswith("tool.") and component.endswith(".description"):
            names.add(described)
        elif guided := guided_tool(component):
            names.add(guided)
    called: Counter[str] = Counter()
    for scenario in scenarios:
        names |= {tool.name for tool in scenario.content.tools}
        called.update({call.tool for call in scenario.content.tape if call.status != "error"})
    if not names:
        names = {tool for tool, count in called.items() if count > 1}
    return frozenset(name for name in names if SAFE_NAME.fullmatch(name))


def _tool_slots(
    brief: PatternBrief, peers: Sequence[Scenario], known: frozenset[str]
) -> dict[str, str]:
    terms = _terms(brief.predicate)
    tapes = [call for scenario in brief.examples for call in scenario.content.tape]
    changing = _commonest(tapes, known, lambda call: call.writes)
    found = {
        "tool": _missing(terms, known) or _most(peers, brief.examples, known),
        "wrong_tool": _most(brief.examples, peers, known, failed=True),
        "failing_tool": _failing(terms, known)
        or _commonest(tapes, known, lambda call: call.status == "error"),
        "repeated_tool": _repeated(brief.examples, known),
        "changing_tool": changing,
        "reading_tool": _most(peers, brief.examples, known - _writing([*brief.examples, *peers])),
    }
    if not found["changing_tool"]:
        of_peers = [call for scenario in peers for call in scenario.content.tape]
        found["changing_tool"] = _commonest(of_peers, known, lambda call: call.writes)
    return {slot: tool for slot, tool in found.items() if tool}


def _terms(predicate: str) -> "Sequence[Term]":
    # Imported when asked for: the package of patterns loads scikit-learn, which takes seconds.
    from spanloop.optimizer.patterns.predicates import from_json

    try:
        return from_json(predicate).terms
    except (ValueError, KeyError, TypeError, AttributeError):
        return ()  # of another format, or none: the scenarios tell


def _missing(terms: "Sequence[Term]", known: frozenset[str]) -> str:
    return next(
        (term.subject for term in terms if term.kind == "absent" and term.subject in known), ""
    )


def _failing(terms: "Sequence[Term]", known: frozenset[str]) -> str:
    """Return the tool that a term says fails: its subject, or the detail of a symptom."""
    for term in terms:
        name = term.subject if term.kind == "tool_error" else term.other.removeprefix("tool:")
        if term.kind in ("tool_error", "symptom") and name in known:
            return name
    return ""


def _most(
    among: Sequence[Scenario],
    against: Sequence[Scenario],
    known: frozenset[str],
    *,
    failed: bool = False,
) -> str:
    """Return the tool that ``among`` call most often beyond ``against``, '' below `MIN_CONTRAST`.

    Calls that failed count if ``failed``.
    """
    ours, theirs = _shares(among, failed=failed), _shares(against, failed=failed)
    contrast = {tool: ours[tool] - theirs.get(tool, 0.0) for tool in ours if tool in known}
    best = min(contrast, key=lambda tool: (-contrast[tool], tool), default="")
    return best if best and contrast[best] >= MIN_CONTRAST else ""


def _shares(scenarios: Sequence[Scenario], *, failed: bool) -> dict[str, float]:
    called = Counter(
        tool
        for scenario in scenarios
        for tool in {c.tool for c in scenario.content.tape if failed or c.status != "error"}
    )
    return {tool: count / len(scenarios) for tool, count in called.items()}


def _writing(scenarios: Iterable[Scenario]) -> frozenset[str]:
    return frozenset(call.tool for s in scenarios for call in s.content.tape if call.writes)


def _commonest(
    calls: Iterable[TapeCall], known: frozenset[str], wanted: Callable[[TapeCall], bool]
) -> str:
    counts = Counter(call.tool for call in calls if wanted(call) and call.tool in known)
    return min(counts, key=lambda tool: (-counts[tool], tool), default="")


def _repeated(scenarios: Iterable[Scenario], known: frozenset[str]) -> str:
    counts: Counter[str] = Counter()
    for scenario in scenarios:
        same = Counter((c.trajectory, c.tool, c.arguments) for c in scenario.content.tape)
        counts.update({tool for (_, tool, _), n in same.items() if n > 1 and tool in known})
    return min(counts, key=lambda tool: (-counts[tool], tool), default="")


def _argument_slots(brief: PatternBrief, slots: Mapping[str, str]) -> dict[str, str]:
    schemas = {
        tool.name: tool.parameters
        for scenario in (*brief.counterexamples, *brief.examples)
        for tool in scenario.content.tools
    }
    for slot in ("failing_tool", "repeated_tool", "tool", "changing_tool"):
        tool = slots.get(slot, "")
        if required := _required(schemas.get(tool, "")):
            return {"arguments_tool": tool, "required": ", ".join(f"`{name}`" for name in required)}
    return {}


def _required(schema: str) -> list[str]:
    parsed = _json(schema)
    names: Any = (
        cast("dict[str, Any]", parsed).get("required") if isinstance(parsed, dict) else None
    )
    if not isinstance(names, (list, tuple)):
        return []
    listed = cast("Sequence[Any]", names)
    return [n for n in listed if isinstance(n, str) and SAFE_NAME.fullmatch(n)][:8]


def constants(scenarios: Iterable[Scenario]) -> dict[tuple[str, str, str], int]:
    """Return (tool, field, value) of short constants in results → users or conversations told so.

    A field that ever has another value is none: it speaks of a case, not of the world.
    """
    told: dict[tuple[str, str], dict[str, set[str]]] = defaultdict(lambda: defaultdict(set))
    for scenario in scenarios:
        cluster = scenario.cluster_key or scenario.scenario_id
        for call in scenario.content.tape:
            if call.result and call.status != "error" and not call.writes:
                for path, value in _leaves(_json(call.result)):
                    told[call.tool, path][value].add(cluster)
    return {
        (tool, path, value): len(clusters)
        for (tool, path), values in told.items()
        if len(values) == 1
        for value, clusters in values.items()
        if len(clusters) >= MIN_CLUSTERS and is_constant(value)
    }


def is_constant(value: str) -> bool:
    """Return whether ``value`` can be one: short, plain, and of no identifier's shape.

    >>> is_constant("30 days"), is_constant("ORD-88123"), is_constant("true")
    (True, False, False)
    """
    plain = _CONSTANT.fullmatch(value) is not None and len(value.split()) <= 4
    return plain and not _LONG_NUMBER.search(value) and value not in ("true", "false", "null")


def _constant(examples: Sequence[Scenario], peers: Sequence[Scenario]) -> dict[str, str]:
    """Return the constant that satisfied peers looked up and failing runs did not, told most often."""
    seen = {(call.tool, s.scenario_id) for s in examples for call in s.content.tape}
    looked_up = Counter(tool for tool, _ in seen)
    found = {
        about: count
        for about, count in constants(peers).items()
        if SAFE_NAME.fullmatch(about[0]) and looked_up[about[0]] < len(examples)
    }
    best = min(found, key=lambda about: (-found[about], about), default=None)
    if best is None:
        return {}
    tool, path, value = best
    name = path.rpartition(".")[2].replace("_", " ").replace("-", " ")
    return {"fact_tool": tool, "fact_name": name, "fact_value": value}


def _leaves(value: Any, path: str = "", depth: int = 0) -> Iterator[tuple[str, str]]:
    if depth > 4:
        return
    if isinstance(value, dict):
        for key, inner in list(cast("dict[str, Any]", value).items())[:40]:
            if SAFE_NAME.fullmatch(key):
                yield from _leaves(inner, f"{path}.{key}".lstrip("."), depth + 1)
    elif isinstance(value, (str, int, float)) and not isinstance(value, bool) and path:
        yield path, str(value)


def _json(text: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None


def _topics(examples: Sequence[Scenario], configuration: AgentConfiguration) -> list[str]:
    """Return words of openings that the agent's own configuration uses: at most three, commonest first."""
    own = set(_WORD.findall(" ".join(configuration.components.values()).lower()))
    counts = Counter(
        word
        for scenario in examples
        for word in set(_WORD.findall(scenario.content.opening.lower()))
        if word in own and word not in _COMMON
    )
    least = max(2, 0.3 * len(examples))
    ranked = sorted(counts, key=lambda word: (-counts[word], word))
    return [word for word in ranked if counts[word] >= least][:3]
