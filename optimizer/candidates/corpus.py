"""The texts that a proposal is compared with: what traces said, and what only the configuration says."""

import json
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, cast

from spanloop.optimizer.candidates.slots import constants
from spanloop.optimizer.candidates.texts import normalised, visible
from spanloop.optimizer.configuration import AgentConfiguration
from spanloop.optimizer.scenarios.scenario import Scenario

SAID_WORDS = 6
"""Words in a row that a proposal shares with a user or a tool's result only by copying them."""
HELD_OUT_WORDS = 8
"""The same for the rest of a scenario, where stock phrases of the trade recur."""
MAX_TEXT_CHARS = 20_000
"""Characters of one text that are compared."""

TOKEN = re.compile(r"[^\W_](?:[\w#@./:+-]*[^\W_])?")
_NAME = re.compile(r"\b[^\W\d_a-z][\w'’-]+(?=(?: |, )([^\W\d_a-z][\w'’-]+))")
"""A capitalised word before another one."""

Grams = set[int]


@dataclass(frozen=True, slots=True, kw_only=True)
class Corpus:
    """What a proposal may not repeat, and what it may.

    Attributes:
        own: tokens of the configuration and of declared tools, case folded: they are no leak.
        own_text: the same as one normalised text.
        own_grams: its runs of `SAID_WORDS` and of `HELD_OUT_WORDS` words.
        tokens: tokens of traces that are not the agent's own, case folded.
        names: pairs of capitalised words in traces (`names`).
        facts: values that users told, normalised.
        said: runs of words of users and of tools' results in train scenarios.
        held_out: runs of words of scenarios that no engine may read.
        criteria: literals that criteria look for, normalised → whether of a held-out scenario.
        constants: short constants of the world (`spanloop.optimizer.candidates.slots.constants`), normalised.
    """

    own: frozenset[str]
    own_text: str
    own_grams: Grams = field(repr=False)
    tokens: frozenset[str] = field(repr=False)
    names: frozenset[str] = field(repr=False)
    facts: frozenset[str] = field(repr=False)
    said: Grams = field(repr=False)
    held_out: Grams = field(repr=False)
    criteria: dict[str, bool] = field(repr=False)
    constants: frozenset[str] = field(repr=False)


def make_corpus(
    configuration: AgentConfiguration, *, train: Sequence[Scenario], hidden: Sequence[Scenario]
) -> Corpus:
    """Return what proposals for ``configuration`` are compared with; made once for many proposals."""
    own_texts = [
        *configuration.components,
        *configuration.components.values(),
        *configuration.tools,
    ]
    for scenario in (*train, *hidden):
        for tool in scenario.content.tools:
            own_texts += [tool.name, *_keys(tool.parameters)]
    own = frozenset(token for text in set(own_texts) for token in tokens(text))
    own_grams: Grams = set()
    for text in own_texts:
        words = normalised(text).split()
        own_grams |= grams(words, SAID_WORDS) | grams(words, HELD_OUT_WORDS)
    seen, found, facts = _identifying([*train, *hidden])
    return Corpus(
        own=own,
        own_text=f" {normalised(' '.join(own_texts))} ",
        own_grams=own_grams,
        tokens=frozenset(seen - own),
        names=frozenset(found),
        facts=frozenset(facts),
        said=_said(train),
        held_out=_held_out(hidden),
        criteria={
            **dict.fromkeys(_literals(train), False),
            **dict.fromkeys(_literals(hidden), True),
        },
        constants=frozenset(normalised(value) for _, _, value in constants(train)),
    )


def grams(words: Sequence[str], n: int) -> Grams:
    """Return hashes of all runs of ``n`` words, comparable within this process."""
    return {hash(tuple(words[at : at + n])) for at in range(len(words) - n + 1)}


def tokens(text: str) -> Iterator[str]:
    """Yield words and identifiers of ``text``, in case-folded compatibility form, punctuation inside kept."""
    yield from TOKEN.findall(visible(text).casefold())


def names(text: str) -> Iterator[str]:
    """Yield pairs of neighbouring capitalised words, normalised.

    >>> list(names("ask Mia Chen today"))
    ['mia chen']
    """
    for match in _NAME.finditer(text):
        yield normalised(f"{match[0]} {match[1]}")


def said_texts(scenario: Scenario) -> Iterator[str]:
    """Yield what users and tools said in ``scenario``."""
    content = scenario.content
    yield content.opening
    yield from (turn.text for turn in content.turns)
    yield from (call.result for call in content.tape if call.result)


def _identifying(scenarios: Iterable[Scenario]) -> tuple[set[str], set[str], set[str]]:
    seen: set[str] = set()
    found: set[str] = set()
    facts: set[str] = set()
    for scenario in scenarios:
        content = scenario.content
        told = [*content.facts, *(fact for turn in content.turns for fact in turn.facts)]
        facts.update(normalised(fact) for fact in told if telling(fact))
        arguments = (call.arguments for call in content.tape)
        for text in (*said_texts(scenario), *arguments, *told, scenario.goal, content.persona):
            seen.update(tokens(text[:MAX_TEXT_CHARS]))
            found.update(names(text[:MAX_TEXT_CHARS]))
    return seen, found, facts


def telling(value: str) -> bool:
    """Return whether ``value`` tells one case from another: not a short number, not a plain word.

    >>> telling("ORD-88123"), telling("Mia Chen"), telling("blue"), telling("30")
    (True, True, False, False)
    """
    marked = any(c.isdigit() or c.isupper() or c in "@_#" for c in value)
    return len(value.strip()) >= 4 and marked


def _said(scenarios: Iterable[Scenario]) -> Grams:
    found: Grams = set()
    for scenario in scenarios:
        for text in said_texts(scenario):
            found |= grams(normalised(text[:MAX_TEXT_CHARS]).split(), SAID_WORDS)
    return found


def _held_out(scenarios: Iterable[Scenario]) -> Grams:
    found: Grams = set()
    for scenario in scenarios:
        for text in said_texts(scenario):
            found |= grams(normalised(text[:MAX_TEXT_CHARS]).split(), SAID_WORDS)
        content = scenario.content
        rest = [scenario.goal, content.persona, *(call.arguments for call in content.tape)]
        for text in rest:
            found |= grams(normalised(text[:MAX_TEXT_CHARS]).split(), HELD_OUT_WORDS)
    return found


def _literals(scenarios: Iterable[Scenario]) -> set[str]:
    """Return what criteria look for and can be recognised: several words, or a value that tells a case."""
    found: set[str] = set()
    for scenario in scenarios:
        for criterion in scenario.content.criteria:
            if criterion.kind == "says":
                found.update(_recognisable(criterion.value))
            elif criterion.kind == "calls":
                for leaf in _values(criterion.value):
                    found.update(_recognisable(leaf))
    return found


def _recognisable(value: str) -> set[str]:
    text = normalised(value)
    return {text} if len(text.split()) > 1 or telling(value) else set()


def _values(text: str) -> Iterator[str]:
    """Yield the texts and numbers in JSON ``text``; ``text`` itself where it is none."""
    try:
        pending: list[Any] = [json.loads(text)] if text else []
    except (ValueError, RecursionError):
        pending = [text]
    while pending:
        value = pending.pop()
        if isinstance(value, dict):
            pending += cast("dict[str, Any]", value).values()
        elif isinstance(value, (list, tuple)):
            pending += cast("Sequence[Any]", value)
        elif isinstance(value, (str, int, float)) and not isinstance(value, bool):
            yield str(value)


def _keys(schema: str) -> Iterator[str]:
    """Yield names of arguments of a tool's JSON Schema."""
    try:
        parsed: Any = json.loads(schema)
    except (ValueError, RecursionError):
        return
    properties: Any = (
        cast("dict[str, Any]", parsed).get("properties") if isinstance(parsed, dict) else None
    )
    if isinstance(properties, dict):
        yield from cast("dict[str, Any]", properties)
