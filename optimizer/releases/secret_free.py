"""A released configuration is served to whoever may send spans, so it must hold no secret."""

import re

from spanloop.optimizer.configuration import AgentConfiguration
from spanloop.processor.errors import PermanentError
from spanloop.processor.redaction import PATTERNS

SECRET_NAME = re.compile(
    r"(^|[._-])(api_?key|key|token|secret|password|passwd|credentials?|authorization)$",
    re.IGNORECASE,
)
SHORTEST_SECRET = 12
"""Prompts speak of passwords ("password: ask them to reset it"); what follows is one if it is as long as this
and holds a digit."""


def refuse_secrets(configuration: AgentConfiguration) -> None:
    """Refuse a configuration with a parameter named like a secret, or a text that holds one.

    Raises:
        PermanentError: the message names where, never what.
    """
    texts = {
        **configuration.components,
        **{n: v for n, v in configuration.parameters.items() if isinstance(v, str)},
    }
    named = [name for name in configuration.parameters if SECRET_NAME.search(name)]
    holding = [name for name, text in texts.items() if _holds_secret(text)]
    if found := sorted({*named, *holding}):
        raise PermanentError(
            f"{', '.join(found)}: looks like a secret; configurations are served to every agent, "
            "keep secrets in the agent's environment"
        )


def _holds_secret(text: str) -> bool:
    return any(
        _looks_secret(match)
        for pattern in PATTERNS
        if pattern.kind == "SECRET"
        for match in pattern.regex.finditer(text)
    )


def _looks_secret(match: re.Match[str]) -> bool:
    value = match["value"] if "value" in match.re.groupindex else match[0]
    return len(value) >= SHORTEST_SECRET and any(character.isdigit() for character in value)
