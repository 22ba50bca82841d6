"""An agent's configuration as spanloop knows it: named texts, which tools are offered, parameters.

Behaviour in, configuration out: this is all of an agent that a candidate may change.
"""

import hashlib
import json
import re
from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, field_validator

COMPONENT_NAME = re.compile(
    r"instructions|context\.[A-Za-z0-9_-]{1,64}|tool\.[A-Za-z0-9_.:-]{1,128}\.(description|guidance)"
)
MAX_COMPONENT_CHARS = 200_000


class AgentConfiguration(BaseModel):
    """One configuration of one agent.

    Attributes:
        components: by name: ``instructions``, ``context.<topic>``, ``tool.<name>.description``,
            ``tool.<name>.guidance``.
        tools: tool name → offered to the model or not; a tool that is not named is offered.
        parameters: of the model and the loop (``temperature``, ``max_steps`` …).
        version: the owner's label; no part of what it does, so no part of its hash.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    components: Mapping[str, str] = Field(default_factory=dict[str, str])
    tools: Mapping[str, bool] = Field(default_factory=dict[str, bool])
    parameters: Mapping[str, float | int | bool | str] = Field(
        default_factory=dict[str, float | int | bool | str]
    )
    version: str = ""

    @field_validator("components")
    @classmethod
    def _names_are_known(cls, components: Mapping[str, str]) -> Mapping[str, str]:
        for name, text in components.items():
            if not COMPONENT_NAME.fullmatch(name):
                raise ValueError(f"component name {name!r} does not match {COMPONENT_NAME.pattern}")
            if len(text) > MAX_COMPONENT_CHARS:
                raise ValueError(
                    f"component {name!r} is longer than {MAX_COMPONENT_CHARS} characters"
                )
        return components

    @property
    def hash(self) -> str:
        """SHA-256 of what it does, 32 hex digits; the same for the same behaviour."""
        return digest(self.model_dump(exclude={"version"}))

    def system_prompt(self) -> str:
        """The texts for the model in one: instructions, contexts, guidance of the offered tools."""
        parts = [self.components.get("instructions", "").strip()]
        parts += [
            f"## {name.partition('.')[2].replace('_', ' ').capitalize()}\n{text.strip()}"
            for name, text in self.components.items()
            if name.startswith("context.")
        ]
        parts += [
            f"## Tool: {tool}\n{text.strip()}"
            for name, text in self.components.items()
            if (tool := guided_tool(name)) and self.tools.get(tool, True)
        ]
        return "\n\n".join(part for part in parts if part)


def guided_tool(component: str) -> str:
    """Return the tool that a guidance component is about, '' for other components.

    >>> guided_tool("tool.search.guidance")
    'search'
    """
    if component.startswith("tool.") and component.endswith(".guidance"):
        return component.removeprefix("tool.").removesuffix(".guidance")
    return ""


def digest(value: Any) -> str:
    """Return 32 hex digits of SHA-256 of ``value`` as canonical JSON."""
    text = json.dumps(value, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()[:32]
