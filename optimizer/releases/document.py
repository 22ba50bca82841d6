"""What `GET /v1/agents/{agent}/config` answers, as JSON types. Pure; nothing in it is secret."""

from collections.abc import Sequence
from typing import Any, Literal

from spanloop.optimizer.configuration import AgentConfiguration
from spanloop.optimizer.releases.assignment import in_canary
from spanloop.optimizer.releases.lifecycle import canary_of, current_of
from spanloop.optimizer.releases.release import Release

Unit = Literal["conversation", "user"]
"""What is assigned to a side: every conversation by itself, or a user with all of theirs."""


def agent_document(line: Sequence[Release], unit: Unit) -> dict[str, Any] | None:
    """Return what an agent needs to assign its conversations by itself; None without a current release."""
    current, canary = current_of(line), canary_of(line)
    if current is None:
        return None
    return {
        "agent": current.agent,
        "assignment": {
            "unit": unit,
            "share": canary.share if canary else 0.0,
            "salt": canary.release_id if canary else "",
        },
        "current": _served(current),
        "canary": _served(canary) if canary else None,
    }


def assigned_document(line: Sequence[Release], unit_id: str) -> dict[str, Any] | None:
    """Return the one release that ``unit_id`` gets; None without a current release."""
    current, canary = current_of(line), canary_of(line)
    if current is None:
        return None
    chosen = canary is not None and in_canary(unit_id, canary.release_id, canary.share)
    release = canary if canary is not None and chosen else current
    return {"agent": current.agent, "canary": chosen, **_served(release)}


def tested_document(agent: str, configuration: AgentConfiguration) -> dict[str, Any]:
    """Return a configuration under test."""
    return {"agent": agent, **_configured(configuration)}


def _served(release: Release) -> dict[str, Any]:
    return {
        "release_id": release.release_id,
        "number": release.number,
        **_configured(release.configuration),
    }


def _configured(configuration: AgentConfiguration) -> dict[str, Any]:
    return {
        "hash": configuration.hash,
        "configuration": configuration.model_dump(mode="json"),
    }
