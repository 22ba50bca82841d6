"""What in a proposal must not reach an agent: leaks, links, and orders that come from traces.

Engines read traces, and traces are written by anybody. A model that is told what to propose may obey; so
no proposal is trusted, whichever engine made it: its added text is held against what users and tools said,
against criteria and held-out scenarios, and against shapes that no instruction of an agent needs. A
reason names what was found and where, never the payload.
"""

from collections.abc import Iterator, Sequence

from spanloop.optimizer.candidates.candidate import Edit, Proposal
from spanloop.optimizer.candidates.corpus import (
    HELD_OUT_WORDS,
    SAID_WORDS,
    Corpus,
    grams,
    make_corpus,
    names,
    telling,
    tokens,
)
from spanloop.optimizer.candidates.edits import EditLimits, oversize
from spanloop.optimizer.candidates.shapes import (
    GUARD,
    hidden_characters,
    identifying,
    shapes_found,
)
from spanloop.optimizer.candidates.texts import normalised, visible
from spanloop.optimizer.configuration import AgentConfiguration
from spanloop.optimizer.judging.criteria import QUESTIONS
from spanloop.optimizer.scenarios.scenario import Scenario
from spanloop.processor.redaction import redact

_QUESTION_WORDS = 6
_QUESTION_GRAMS = {
    gram for text in QUESTIONS.values() for gram in grams(normalised(text).split(), _QUESTION_WORDS)
}


def scan(
    proposal: Proposal,
    *,
    configuration: AgentConfiguration,
    train: Sequence[Scenario],
    hidden: Sequence[Scenario],
) -> list[str]:
    """Return why ``proposal`` must not be tried; [] = nothing was found.

    Args:
        proposal: of any engine.
        configuration: that it edits: what stands in it is no leak.
        train: what engines read.
        hidden: scenarios of the other splits, which none may know.
    """
    corpus = make_corpus(configuration, train=train, hidden=hidden)
    return scan_with(corpus, proposal, configuration=configuration)


def scan_with(
    corpus: Corpus,
    proposal: Proposal,
    *,
    configuration: AgentConfiguration,
    limits: EditLimits | None = None,
) -> list[str]:
    """Do as `scan` with a corpus that was made before."""
    reasons = oversize(configuration, proposal.edits, limits or EditLimits())
    reasons += _taken_away(proposal.edits)
    for component, text in _added(proposal.edits):
        reasons += [f"{component}: {found}" for found in scan_text(corpus, text)]
    return list(dict.fromkeys(reasons))


def scan_text(corpus: Corpus, text: str) -> Iterator[str]:
    """Yield what ``text``, which an engine wrote, must not say."""
    yield from hidden_characters(text)
    seen = visible(text)
    yield from shapes_found(seen, corpus.own_text)
    yield from _identifiers(corpus, seen)
    yield from _copies(corpus, seen)
    yield from _criteria(corpus, seen)


def _added(edits: Sequence[Edit]) -> Iterator[tuple[str, str]]:
    """Yield each component with all that comes to it, so that nothing hides in the gap between two edits.

    The name of a component is text as well: a topic or a tool may be called anything.
    """
    names = list(dict.fromkeys(edit.component for edit in edits))
    for name in names:
        came = [edit.text for edit in edits if edit.component == name and edit.text]
        yield name[:80], "\n".join([name.replace(".", " ").replace("_", " "), *came])


def _taken_away(edits: Sequence[Edit]) -> Iterator[str]:
    """Yield edits that take away a prohibition or a check and put none in its place."""
    for edit in edits:
        lost = len(GUARD.findall(edit.passage)) - len(GUARD.findall(edit.text))
        if edit.passage and lost > 0:
            yield f"{edit.component}: takes away {lost} prohibition or check"


def _identifiers(corpus: Corpus, text: str) -> Iterator[str]:
    for token in dict.fromkeys(tokens(text)):
        if token in corpus.own:
            continue
        if identifying(token, seen=token in corpus.tokens):
            where = "a value of traces" if token in corpus.tokens else "a value of unknown origin"
            yield f"identifier {_shown(token)!r}, {where}"
    for name in names(text):
        if name in corpus.names and f" {name} " not in corpus.own_text:
            yield f"name {_shown(name.title())!r} of traces"
    padded = f" {normalised(text)} "
    for fact in sorted(corpus.facts):
        if (
            f" {fact} " in padded
            and f" {fact} " not in corpus.own_text
            and fact not in corpus.constants
        ):
            yield f"value {_shown(fact)!r} that a user told"


def _copies(corpus: Corpus, text: str) -> Iterator[str]:
    words = normalised(text).split()
    said = grams(words, SAID_WORDS) - corpus.own_grams
    if said & corpus.said:
        yield f"repeats {SAID_WORDS} words in a row of a user or of a tool's result"
    if (said | (grams(words, HELD_OUT_WORDS) - corpus.own_grams)) & corpus.held_out:
        yield "repeats a held-out scenario"
    if grams(words, _QUESTION_WORDS) & _QUESTION_GRAMS:
        yield "repeats a question that assessors are asked"


def _criteria(corpus: Corpus, text: str) -> Iterator[str]:
    padded = f" {normalised(text)} "
    for literal, held_out in corpus.criteria.items():
        if f" {literal} " not in padded or f" {literal} " in corpus.own_text:
            continue
        if held_out:
            yield "holds what a criterion of a held-out scenario looks for"
        elif literal not in corpus.constants:
            yield "holds what a criterion of a train scenario looks for"


def _shown(text: str) -> str:
    """Return a piece that may be shown: redacted and short."""
    plain = redact(text)
    shown = plain if len(plain) <= 24 else f"{plain[:10]}…{plain[-4:]}"
    return shown if plain != text or not telling(text) else f"{shown[:3]}…({len(text)} characters)"
