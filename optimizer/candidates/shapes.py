"""Shapes that no instruction of an agent needs: links, addresses, orders to assessors, hidden characters."""

import re
import unicodedata
from collections.abc import Callable, Iterator
from typing import NamedTuple

from spanloop.optimizer.candidates.texts import HIDDEN_KINDS, is_hidden, normalised, visible
from spanloop.processor.redaction import PATTERNS, redact

GUARD = re.compile(
    r"\b(?:never|must not|do not|don['’]t|cannot|may not|not allowed|forbidden|only (?:if|when|after)|unless"
    r"|without (?:asking|consent|permission|confirmation)|confirm|verify|refuse|require[sd]?)\b",
    re.IGNORECASE,
)
"""Words of a prohibition or a check: taking one away is no fix of a failure."""

_TLD = (
    r"(?:com|net|org|io|ai|app|dev|co|info|biz|xyz|top|site|online|shop|club|example|test|invalid|me|tv|cc|ws|ru"
    r"|cn|uk|de|fr|eu|us|ca|jp|in|br|au|ch|nl|se|no|es|it|pl|kr|link|click|live|gg|ly|to|sh|cloud|zip|mov)"
)
_DATE = re.compile(r"\d{4}-\d\d-\d\d|\d\d?\.\d\d?\.\d{4}")
_LABEL = r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?"


def _is_phone(match: str) -> bool:
    return _DATE.fullmatch(match) is None and 8 <= sum(map(str.isdigit, match)) <= 15


class Shape(NamedTuple):
    """Something to look for; ``holds`` says of a match whether it is meant."""

    what: str
    regex: re.Pattern[str]
    holds: Callable[[str], bool] = bool


SHAPES: tuple[Shape, ...] = (
    Shape(
        "link", re.compile(r"(?i)\b(?:h(?:tt|xx)ps?|ftp|file|wss?|javascript|data|mailto|tel):\S+")
    ),
    Shape("link", re.compile(r"(?i)!?\[[^\]]{0,200}\]\([^)]{0,500}\)")),
    Shape("domain", re.compile(rf"(?i)(?<![\w@.-])(?:{_LABEL}\.)+{_TLD}(?![\w-])|\bwww\.\S+")),
    Shape(
        "disguised domain",
        re.compile(
            rf"(?i)\b{_LABEL}\s*(?:\[\s*\.\s*\]|\(\s*\.\s*\)|\[dot\]|\(dot\)|\sdot\s)\s*{_TLD}\b"
        ),
    ),
    Shape("host address", re.compile(r"(?<![\d.])(?:\d{1,3}\.){3}\d{1,3}(?![\d.])")),
    Shape("e-mail address", re.compile(r"(?i)[\w.+%-]+\s?(?:@|\[at\]|\(at\))\s?[\w-]+\s?[.\[(]")),
    Shape("e-mail address", re.compile(r"(?i)\b[\w.+%-]+ at [\w-]+ dot [a-z]{2,24}\b")),
    Shape(
        "phone number",
        re.compile(r"(?<![\w-])\+?\(?\d[\d ().-]{6,}\d(?![\w-])"),
        _is_phone,
    ),
    Shape("encoded text", re.compile(r"(?<![\w+/=-])[A-Za-z0-9+/_-]{40,}={0,2}(?![\w+/=-])")),
    Shape(
        "encoded text",
        re.compile(
            r"(?i)(?:\b[0-9a-f]{2}[ :]){12,}|(?:%[0-9a-f]{2}){6,}|(?:\\x[0-9a-f]{2}|\\u[0-9a-f]{4}){4,}"
        ),
    ),
    Shape(
        "placeholder of redacted text",
        re.compile(r"<(?:SECRET|EMAIL|IBAN|CARD|NATIONAL_ID|PHONE|LINK)>"),
    ),
    Shape(
        "marker of an injected prompt",
        re.compile(
            r"(?i)<\|[^|>]{1,40}\|>|\[/?INST\]|<</?SYS>>|<<<|>>>|<!--|-->"
            r"|</?(?:system|assistant|user|instructions?|data|tool_(?:call|result)|untrusted|trace)\b[^>]{0,80}>"
            r"|^\s*#{0,6}\s*(?:system|assistant|user|human|developer)\s*:"
            r"|\b(?:end|begin|start) of (?:the )?"
            r"(?:data|prompt|transcript|document|context|traces?|evidence)\b",
            re.MULTILINE,
        ),
    ),
    Shape(
        "order to ignore instructions",
        re.compile(
            r"(?is)\b(?:ignore|disregard|forget|override|bypass|discard)\b.{0,40}"
            r"\b(?:instructions?|prompts?|rules?|polic(?:y|ies)|guidelines?|guardrails?|above|previous|prior"
            r"|earlier|safety)\b|\byou are now\b|\bnew (?:system )?instructions?\b"
            r"|\b(?:developer|debug|god|jailbreak|dan) mode\b|\bsystem (?:prompt|override|message)\b"
        ),
    ),
)
"""In the order in which they are reported."""

_ASSESSORS = (
    r"(?:judge|judges|assessor|assessors|grader|graders|evaluator|evaluators|rubric|scorer|scoring|grading|evaluation"
    r"|evaluated|benchmark|test ?case|satisfaction|goal_reached|instructions_followed|effort_reasonable)"
)
ASSESSOR_WORDS = re.compile(rf"(?i)\b{_ASSESSORS}\b")
ASSESSOR_ORDERS = re.compile(
    r"(?is)\b(?:mark|rate|score|label|grade|count|classify|treat|consider|report|judge)\b.{0,60}"
    r"\b(?:satisf\w+|successful|resolved|passed|solved|perfect|correct|full marks|10/10|5/5|yes)\b"
    r"|\b(?:verdict|score|rating|grade)\b\s*(?:is|=|:|of|must be)\s*\S+"
    r"|\b(?:ask|tell|urge|invite|get|have)\b.{0,30}\b(?:user|customer|them)\b.{0,40}\b(?:thank|rate|rating|feedback|stars?"
    r"|review|satisfied|resolved|happy)\b"
)


def shapes_found(text: str, own: str) -> Iterator[str]:
    """Yield what of `SHAPES` and which words to assessors are in ``text`` and not in ``own``.

    Args:
        text: visible text that a proposal adds.
        own: the configuration, `normalised`, spaces around it: what it already says is not new.
    """
    for shape in SHAPES:
        for match in shape.regex.finditer(text):
            if shape.holds(match[0]) and f" {normalised(match[0])} " not in own:
                yield shape.what
                break
    for pattern in PATTERNS:  # the same shapes that are redacted before storage
        match_ = next((m for m in pattern.regex.finditer(text) if pattern.holds(m[0])), None)
        if match_ is not None and f" {normalised(match_[0])} " not in own:
            yield f"{pattern.kind.lower().replace('_', ' ')} of its shape"
    if any(f" {normalised(word)} " not in own for word in ASSESSOR_WORDS.findall(text)):
        yield "words to or about an assessor"
    if any(f" {normalised(m[0])} " not in own for m in ASSESSOR_ORDERS.finditer(text)):
        yield "asks for a verdict instead of an outcome"


def plain_line(text: str) -> str:
    """Return ``text`` as one line without links, secrets or hidden characters, to be shown to people."""
    line = " ".join(visible(redact(text)).split())
    for shape in SHAPES:
        if shape.what in ("link", "domain", "disguised domain"):
            line = shape.regex.sub("<LINK>", line)
    return line


def hidden_characters(text: str) -> Iterator[str]:
    """Yield which characters ``text`` holds that people do not see, or take for others."""
    kinds = {
        HIDDEN_KINDS.get(unicodedata.category(c), "variation selector")
        for c in text
        if is_hidden(c)
    }
    yield from sorted(kinds)
    if any(unicodedata.bidirectional(c) in _BIDI for c in text):
        yield "characters that turn the direction of reading"
    if any(len(_scripts(word)) > 1 for word in re.findall(r"\w+", text)):
        yield "a word of letters of two scripts"


_BIDI = frozenset({"LRE", "RLE", "LRO", "RLO", "PDF", "LRI", "RLI", "FSI", "PDI"})
_CONFUSABLE = ("LATIN", "CYRILLIC", "GREEK", "ARMENIAN", "CHEROKEE")


def _scripts(word: str) -> set[str]:
    names = (unicodedata.name(c, "") for c in word if c.isalpha())
    return {script for name in names for script in _CONFUSABLE if name.startswith(script)}


_STRONG = re.compile(
    r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}|(?=.*\d)(?=.*[a-f])[0-9a-f]{12,}|\d{7,}"
    r"|[a-z]{1,4}[#_-]?\d{5,}\w*|(?=(?:.*\d){3})(?=(?:.*[a-z]){2})[a-z0-9]{8,}"
)
"""An identifier whatever it stands in."""
_WEAK = re.compile(r"(?=.*\d)(?=.*[^\W\d])[\w#@/:+-]{4,}|\d{4,}|.*@.*|#\w+")
"""An identifier if traces hold the same."""


def identifying(token: str, *, seen: bool) -> bool:
    """Return whether ``token`` (case folded) looks like an identifier.

    Args:
        token: of a proposal.
        seen: traces hold the same.

    >>> identifying("ord-88123", seen=False), identifying("w12b", seen=True), identifying("w12b", seen=False)
    (True, True, False)
    """
    return _STRONG.fullmatch(token) is not None or (seen and _WEAK.fullmatch(token) is not None)
