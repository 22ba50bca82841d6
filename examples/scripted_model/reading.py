"""How the script reads the agent's configuration: the three places where it decides behaviour."""

import re
from collections.abc import Sequence

from spanloop.examples.scripted_model.transcript import Transcript

_RECOMMENDS = re.compile(r"\b(first|always|prefer\w*|any question)\b", re.IGNORECASE)
_WARNS = re.compile(
    r"\b(only (when|if|for|without)|never|do not|don't|last resort)\b", re.IGNORECASE
)
_SENTENCE = re.compile(r"[^.!?\n]+")
_DAYS = re.compile(r"\b(\d+)[ -]days?\b", re.IGNORECASE)
_CHECKS = re.compile(r"\b(verify|check|confirm|look (it )?up)\b", re.IGNORECASE)
_CLAIMS = re.compile(r"\b(say|tell|claim|report|promise|state|done)\b", re.IGNORECASE)


def preferred_tool(view: Transcript, candidates: Sequence[str]) -> str | None:
    """The offered candidate that the tool texts recommend most; ties go to the earlier one.

    A description or guidance that recommends itself ("use this first") counts +1, one that
    restricts itself ("only when ...") counts -1. None when no candidate is offered.
    """
    offered = [tool for tool in candidates if view.offers(tool)]
    return max(offered, key=lambda tool: _recommendation(view, tool), default=None)


def stated_refund_window(view: Transcript) -> int | None:
    """Days that the prompt gives for returns, None when no sentence of it says."""
    for sentence in _SENTENCE.findall(view.system):
        days = _DAYS.search(sentence)
        if days and re.search(r"\b(return|refund)", sentence, re.IGNORECASE):
            return int(days.group(1))
    return None


def must_look_up_policy(view: Transcript) -> bool:
    """Whether prompt or tool texts ask for a policy look-up before answering about policy."""
    texts = (view.system, view.guidance("search_policy"))
    return view.offers("search_policy") and any(
        re.search(r"\b(search_policy|polic(y|ies))\b", sentence, re.IGNORECASE)
        and re.search(r"\b(before|always|first)\b", sentence, re.IGNORECASE)
        for text in texts
        for sentence in _SENTENCE.findall(text)
    )


def must_verify_claims(view: Transcript, write_tool: str) -> bool:
    """Whether the prompt, or the write tool's own text, asks to check before claiming."""
    texts = (view.system, view.guidance(write_tool))
    return any(
        _CHECKS.search(sentence)
        and _CLAIMS.search(sentence)
        and re.search(r"\b(before|after)\b", sentence, re.IGNORECASE)
        for text in texts
        for sentence in _SENTENCE.findall(text)
    )


def _recommendation(view: Transcript, tool: str) -> int:
    text = view.guidance(tool)
    return bool(_RECOMMENDS.search(text)) - bool(_WARNS.search(text))
