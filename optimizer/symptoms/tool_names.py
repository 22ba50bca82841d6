"""What the name of a tool tells: does it change something, or only read?

A prior from English verbs, nothing of any product: the first word counts most, then any other word.
"""

_CHANGES = (
    "cancel|update|modify|change|book|create|delete|remove|return|exchange|send|set|add|pay|refund|make|reset"
    "|enable|disable|toggle|turn|resume|suspend|submit|post|put|patch|write|insert|place|apply|edit|move|rename"
    "|upload|schedule|reserve|order|buy|purchase|transfer|assign|approve|reject|grant|revoke|install|deploy"
    "|start|stop|restart|reboot|execute|commit|push|merge|publish|register|convert|issue|close|open|escalate"
    "|notify|email|charge|replace|append|upgrade|downgrade|activate|deactivate|lock|unlock"
)
_READS = (
    "get|list|search|find|read|fetch|look|lookup|check|query|calculate|calc|compute|think|view|show|describe"
    "|count|retrieve|browse|inspect|verify|validate|estimate|summarize|load|scan|grep|cat|ls|select|explain"
    "|compare|track|recall|is|has|can|know|web|google|wiki|weather|ask"
)


def _patterns(verbs: str) -> tuple[str, str]:
    return f"^(?i:{verbs})(?:[^a-z]|$)", f"(?:^|[^A-Za-z])(?i:{verbs})(?:[^a-z]|$)"


CHANGES = _patterns(_CHANGES)
"""Patterns (RE2): the first word, any word."""

READS = _patterns(_READS)
"""Patterns (RE2): the first word, any word."""
