"""Where the values of a run come from: which step brought each in, and whether anything backed it.

A value is a number, a name or a code. What the user, the instructions or a tool gave is backed; what an
agent states first is its own. Pure: it works on sets of tokens, never on text.
"""

import re
from collections import Counter
from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass, replace
from typing import Any

REQUEST = 0
"""Step number of the row that holds the request (said) and the system instructions (result)."""
FEW_WORDS = 5
"""A message of fewer words says nothing that could be wrong: thanks, a closing word."""
SAME_CODE = 0.7
"""Share of the words of a call that the message before it has, from which on the call only runs it."""
READS_A_SOURCE = 10
"""New values in one long message from which on it reports a source, and does not state something."""
LONG_MESSAGE = 2_000
"""Characters of prose; see `READS_A_SOURCE`."""
_COMMON = (
    "the and for with that this from are was were will have has had not but you your our can let use "
    "using need into which what when where who how its their there these those then than also here all "
    "any each per about would should could step first next following provide provided based"
)
COMMON_WORDS = frozenset(_COMMON.split())
TOKENS = tuple(
    prefix + kind for prefix in ("", "result_") for kind in ("words", "numbers", "names", "codes")
)
"""Fields of a step that are sets."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One step as sets of tokens, lower case; row `REQUEST` is the request.

    Attributes:
        kind: as in ``trajectory_steps``, or ``request``.
        prose_length: characters outside code blocks.
        code_length: characters in code blocks.
        acts: whether anything was said, or arguments given.
        symptoms: found there by rules of their own.
        symptom_weight: the highest of their weights, 0 to 1.
        assumptions: words for guessed or made-up content.
        words: of the message or the arguments.
        numbers: stated outside code and enumerations, as written.
        names: words with a capital inside a sentence.
        codes: words of letters and digits.
        result_words: of the result; likewise the other ``result_`` sets.
    """

    number: int
    kind: str
    agent: str = ""
    name: str = ""
    failed: bool = False
    prose_length: int = 0
    code_length: int = 0
    acts: bool = True
    symptoms: tuple[str, ...] = ()
    symptom_weight: float = 0.0
    assumptions: int = 0
    words: Set[str] = frozenset()
    numbers: Set[str] = frozenset()
    names: Set[str] = frozenset()
    codes: Set[str] = frozenset()
    result_words: Set[str] = frozenset()
    result_numbers: Set[str] = frozenset()
    result_names: Set[str] = frozenset()
    result_codes: Set[str] = frozenset()

    @property
    def values(self) -> Set[str]:
        """Everything stated that can be traced."""
        return plain_numbers(self.numbers) | self.names | self.codes

    @property
    def result_values(self) -> Set[str]:
        """Everything in the result that can be traced."""
        return plain_numbers(self.result_numbers) | self.result_names | self.result_codes

    def joined_by(self, other: "Step") -> "Step":
        """Return this step with the tokens of ``other``."""
        mine: dict[str, Any] = {name: getattr(self, name) | getattr(other, name) for name in TOKENS}
        return replace(self, **mine)

    @property
    def content(self) -> Set[str]:
        """Words that carry meaning."""
        return self.words - COMMON_WORDS


@dataclass(frozen=True, slots=True, kw_only=True)
class Origins:
    """What each step brought in; mappings are by step number.

    Attributes:
        author: step that wrote what a step ran; itself where nobody else did.
        unbacked: values first stated there, by nothing before and nothing derived.
        new_words: words first said there.
        answer_share: of the values of the closing message, the share that began there.
        reports: steps that pass on a source, such as a page: its content is not their statement.
        closing: last message with content; None without one.
        tool_backed: whether results of tools, other than of code the agents wrote, back this run.
    """

    author: Mapping[int, int]
    unbacked: Mapping[int, int]
    new_words: Mapping[int, int]
    answer_share: Mapping[int, float]
    reports: Set[int]
    closing: int | None
    tool_backed: bool


def plain_numbers(numbers: Set[str]) -> Set[str]:
    """Return numbers written alike.

    >>> sorted(plain_numbers({"1,200.50", "7"}))
    ['1200.5', '7']
    """
    return {_plain(number) for number in numbers}


def trace_origins(request: Step, steps: Sequence[Step]) -> Origins:
    """Trace the values of ``steps``, in order, to the steps that brought them in."""
    author = _authors(steps)
    tool_backed = any(s.kind == "tool" and author[s.number] == s.number and s.acts for s in steps)
    agents = {word for step in steps for word in _words_of_name(step.agent)}
    given = request.content | request.values | request.result_words | request.result_values
    known = set(agents | given)
    origin: dict[str, int] = {}
    unbacked: dict[int, int] = {}
    new_words: dict[int, int] = {}
    reports: set[int] = set()
    for step in steps:
        new = (plain_numbers(step.numbers) | step.names) - known
        if step.prose_length > LONG_MESSAGE and len(new) > READS_A_SOURCE:
            reports.add(step.number)
        states = step.kind == "assistant" and step.number not in reports
        unbacked[step.number] = len(_unbacked(new, known, tool_backed)) if states else 0
        new_words[step.number] = len(step.content - known) if states else 0
        for value in step.values:
            origin.setdefault(value, author[step.number])
        ran = author[step.number] != step.number
        for value in step.result_values:
            origin.setdefault(value, author[step.number] if ran else REQUEST)
        known.update(step.words, step.values, step.result_words, step.result_values)
    closing = _closing(steps)
    return Origins(
        author=author,
        unbacked=unbacked,
        new_words=new_words,
        answer_share=_answer_share(request, steps, closing, origin=origin, agents=agents),
        reports=reports,
        closing=closing.number if closing else None,
        tool_backed=tool_backed,
    )


def _authors(steps: Sequence[Step]) -> dict[int, int]:
    """Whoever runs the code of the message before is not its author."""
    author = {step.number: step.number for step in steps}
    before: Step | None = None
    for step in steps:
        if step.kind == "assistant":
            before = step
        elif step.kind == "tool" and step.acts and before and before.agent != step.agent:
            shared = len(step.content & before.content)
            if shared >= SAME_CODE * max(1, len(step.content)):
                author[step.number] = before.number
    return author


def _unbacked(new: Set[str], known: Set[str], tool_backed: bool) -> Set[str]:
    """Of the ``new`` numbers and names of a message, those that nothing backs.

    Where tools back a run, only numbers count, and not those that are a sum or difference of known ones:
    names in a reply are mostly headings, and totals are computed.
    """
    if not tool_backed:
        return new
    numbers = {value for value in new if _is_number(value)}
    if not numbers:
        return numbers
    pool = {round(float(value), 2) for value in known if _is_number(value)}
    return {value for value in numbers if not _derived(float(value), pool)}


def _derived(number: float, pool: Set[float]) -> bool:
    return any(
        round(number - other, 2) in pool or round(number + other, 2) in pool for other in pool
    )


def _closing(steps: Sequence[Step]) -> Step | None:
    said = [step for step in steps if step.kind == "assistant"]
    return next((step for step in reversed(said) if len(step.content) >= FEW_WORDS), None)


def _answer_share(
    request: Step,
    steps: Sequence[Step],
    closing: Step | None,
    *,
    origin: Mapping[str, int],
    agents: Set[str],
) -> dict[int, float]:
    """Values that the request, the first plan or a tool gave began nowhere that could be blamed."""
    if closing is None:
        return {}
    answer = closing.values - request.content - request.values - steps[0].values - agents
    begun = Counter(origin[value] for value in answer)
    return {step: n / len(answer) for step, n in begun.items() if step != REQUEST}


def _words_of_name(agent: str) -> Set[str]:
    """Agents name each other; that is no content."""
    return {agent.lower(), *re.findall(r"[a-z][a-z0-9]+", agent.lower())}


def _plain(number: str) -> str:
    bare = number.replace(",", "").rstrip(".")
    return f"{float(bare):.10g}" if _is_number(bare) and len(bare) <= 9 else bare


def _is_number(value: str) -> bool:
    return value.replace(".", "", 1).isdecimal() and value.isascii()
