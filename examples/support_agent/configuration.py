"""The agent's configuration: named text components, tool enablement, parameters.

Behaviour that may be changed without touching code lives here and only here. Component names are
`instructions`, `context.<topic>`, `tool.<name>.description` and `tool.<name>.guidance`.
"""

import re
from collections.abc import Mapping
from importlib.resources import files
from typing import Any, Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field, field_validator

_PACKAGE = "spanloop.examples.support_agent"

COMPONENT_NAME = re.compile(r"instructions|context\.[a-z_]+|tool\.[a-z_]+\.(description|guidance)")

Variant = Literal["production", "repaired", "second_shop"]


class Parameters(BaseModel):
    """Numbers that shape a turn."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    temperature: float = Field(default=0.0, ge=0.0, le=2.0)
    max_tokens: int = Field(default=800, ge=1)
    max_steps: int = Field(default=8, ge=1, le=50, description="most model calls in one user turn")


class AgentConfiguration(BaseModel):
    """Everything that tells one configuration of the agent from another."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str = "support-agent"
    description: str
    version: str
    components: dict[str, str]
    tools: dict[str, bool] = Field(description="tool name -> offered to the model or not")
    parameters: Parameters = Parameters()

    @field_validator("components")
    @classmethod
    def _names_are_known(cls, components: dict[str, str]) -> dict[str, str]:
        for name in components:
            if not COMPONENT_NAME.fullmatch(name):
                raise ValueError(f"component name {name!r} does not match {COMPONENT_NAME.pattern}")
        if "instructions" not in components:
            raise ValueError("the component 'instructions' is missing")
        return components

    def tool_enabled(self, tool: str) -> bool:
        """Whether the tool is offered to the model."""
        return self.tools.get(tool, False)

    def with_components(
        self, changes: Mapping[str, str | None], *, version: str
    ) -> "AgentConfiguration":
        """A checked copy with components replaced or added, or removed where the text is None."""
        merged: dict[str, str | None] = {**self.components, **changes}
        kept = {name: text for name, text in merged.items() if text is not None}
        return AgentConfiguration.model_validate(
            {**self.model_dump(), "components": kept, "version": version}
        )

    def behaviour(self) -> dict[str, Any]:
        """What a release may change, as JSON types: all but name and description."""
        return self.model_dump(mode="json", exclude={"name", "description"})

    def as_released(self, released: Mapping[str, Any]) -> "AgentConfiguration":
        """This agent under the behaviour of a release; a tool that it does not name is offered.

        Raises:
            pydantic.ValidationError: the agent cannot run under it.
        """
        tools: Mapping[str, bool] = released.get("tools", {})
        return AgentConfiguration.model_validate(
            {
                "name": self.name,
                "description": self.description,
                "version": released.get("version") or self.version,
                "components": released["components"],
                "tools": {tool: tools.get(tool, True) for tool in self.tools},
                "parameters": released.get("parameters", {}),
            }
        )

    def system_prompt(self) -> str:
        """The prompt: instructions, then contexts, then guidance of the offered tools."""
        sections = [self.components["instructions"].strip()]
        for name, text in self.components.items():
            kind, _, rest = name.partition(".")
            if kind == "context":
                sections.append(f"## {rest.replace('_', ' ').capitalize()}\n{text.strip()}")
        for tool, enabled in self.tools.items():
            guidance = self.components.get(f"tool.{tool}.guidance")
            if enabled and guidance is not None:
                sections.append(f"## Tool: {tool}\n{guidance.strip()}")
        return "\n\n".join(sections)

    def tool_description(self, tool: str, default: str) -> str:
        """The configured description of a tool, else its built-in one."""
        return self.components.get(f"tool.{tool}.description", default).strip()


def load_configuration(variant: Variant = "production") -> AgentConfiguration:
    """Read a configuration that ships with the package.

    `production` fails in three recurring ways (missing context, wrong tool preference, a claim it
    never checks); `repaired` differs from it only in the components that cause these. `second_shop` is
    another agent, with the faults of `production` in other words.
    """
    text = files(_PACKAGE).joinpath("configurations").joinpath(f"{variant}.yaml").read_text("utf-8")
    return parse_configuration(text)


def parse_configuration(text: str) -> AgentConfiguration:
    """Check a configuration given as YAML text.

    Raises:
        pydantic.ValidationError: with the path of each wrong field.
    """
    return AgentConfiguration.model_validate(yaml.safe_load(text))
