"""What is done to releases: read, decide by `lifecycle`, write, as one step."""

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from spanloop.optimizer.configuration import AgentConfiguration, digest
from spanloop.optimizer.context import Context, time_of
from spanloop.optimizer.releases import lifecycle
from spanloop.optimizer.releases.lifecycle import Change, Line
from spanloop.optimizer.releases.release import (
    SPANLOOP,
    By,
    Live,
    Mode,
    Release,
    ReleaseConflict,
)
from spanloop.optimizer.releases.secret_free import refuse_secrets
from spanloop.optimizer.releases.stored import load_releases, save

# Held from reading an agent's releases to writing them: two requests of one process must not both find the
# place of the canary free. Between processes readers agree by `lifecycle.current_of`.
_TURN = threading.Lock()


@dataclass(frozen=True, slots=True, kw_only=True)
class ReleaseProposal:
    """A candidate that the gate ships.

    Attributes:
        configuration: the whole of it, edits applied.
        baseline_hash: configuration that it was tested against.
        effect: measured before release, probability of satisfaction.
        evidence: numbers of the verdict, for the audit trail.
    """

    agent: str
    configuration: AgentConfiguration
    baseline_hash: str
    candidate_id: str
    experiment_id: str
    effect: float | None = None
    project: str = "default"
    evidence: Mapping[str, Any] = field(default_factory=dict[str, Any])


def current_release(context: Context, agent: str, *, project: str = "") -> Release | None:
    """Return what ``agent`` is served unless a canary is; None where nothing was ever registered."""
    return lifecycle.current_of(load_releases(context, agent=agent, project=project))


def register(
    context: Context,
    agent: str,
    configuration: AgentConfiguration,
    *,
    by: By | None = None,
    project: str = "default",
    share: float = 1.0,
) -> Release:
    """Make ``configuration`` the current release on a person's word, with ``share`` below 1 a canary.

    The same again changes nothing.

    Raises:
        PermanentError: it holds a secret.
        ReleaseConflict: it cannot be a canary: nothing is current, or there is one.
    """
    refuse_secrets(configuration)
    by = by or _by(context, SPANLOOP)

    def decide(line: Line) -> Change | Release:
        served = (lifecycle.current_of(line), lifecycle.canary_of(line))
        for known in served[: 1 if share >= 1 else 2]:
            if known is not None and known.configuration == configuration:
                return known
        number = lifecycle.next_number(line)
        release = Release(
            release_id=_release_id(project, agent, configuration.hash, str(number)),
            project=project,
            agent=agent,
            number=number,
            state="proposed",
            configuration=configuration,
            created_at=by.at,
        )
        return lifecycle.register(line, release, by, share=share)

    return _step(context, lambda: load_releases(context, agent=agent, project=project), decide)


def propose_release(
    context: Context, proposal: ReleaseProposal, *, mode: Mode = "manual", share: float = 0.1
) -> Release:
    """Enter a proven candidate; the same again changes nothing.

    In the modes ``canary`` and ``auto`` it becomes a canary at once where it can: its baseline is the current
    release and no other canary is under way. Else it stays proposed; `begin_waiting_canary` tries again.

    Raises:
        PermanentError: it holds a secret.
    """
    refuse_secrets(proposal.configuration)
    by = By(
        actor=SPANLOOP,
        at=_now(context),
        reason=f"experiment {proposal.experiment_id} says ship",
        evidence=proposal.evidence,
    )

    def decide(line: Line) -> Change | Release:
        release_id = _release_id(
            proposal.project, proposal.agent, proposal.candidate_id, proposal.experiment_id
        )
        known = next((r for r in line if r.release_id == release_id), None)
        return known or lifecycle.propose(line, _proposed(line, release_id, proposal, by), by)

    def load() -> list[Release]:
        return load_releases(context, agent=proposal.agent, project=proposal.project)

    release = _step(context, load, decide)
    if mode == "manual" or release.state != "proposed":
        return release
    return begin_waiting_canary(context, release, share=share) or release


def begin_waiting_canary(context: Context, release: Release, *, share: float) -> Release | None:
    """Make a proposed release a canary if its place is free and its baseline current, else return None."""
    by = _by(context, SPANLOOP, f"tested against the current release; {share:.0%} of conversations")

    def decide(line: Line) -> Change | Release:
        found = lifecycle.find(line, release.release_id)
        free = lifecycle.current_of(line) is not None and lifecycle.canary_of(line) is None
        if found.state != "proposed" or not free or lifecycle.is_stale(line, found):
            return found
        return lifecycle.begin_canary(line, found.release_id, by, share=share)

    now = _step(
        context,
        lambda: load_releases(context, agent=release.agent, project=release.project),
        decide,
    )
    return now if now.state == "canary" else None


def approve(
    context: Context, release_id: str, actor: str, reason: str = "", *, share: float = 1.0
) -> Release:
    """Let a proposed release or a canary into production, for ``share`` of conversations.

    Raises:
        ReleaseConflict: it is not in a state to be approved, or it was tested against a configuration that is
            not current any more: what the experiment showed does not hold for it.
    """

    def decide(line: Line) -> Change:
        release = lifecycle.find(line, release_id)
        if release.state == "proposed" and lifecycle.is_stale(line, release):
            raise ReleaseConflict(
                f"{release.label} was tested against a configuration that is not current any more; "
                "let the loop test it again, or register it as your own"
            )
        return lifecycle.approve(line, release.release_id, _by(context, actor, reason), share=share)

    return _step(context, lambda: load_releases(context, release=release_id), decide)


def refuse(context: Context, release_id: str, actor: str, reason: str = "") -> Release:
    """Say no to a proposed release.

    Raises:
        ReleaseConflict: it is not proposed.
    """
    return _act(context, release_id, _by(context, actor, reason), lifecycle.refuse)


def roll_back(
    context: Context,
    release_id: str,
    actor: str,
    reason: str = "",
    *,
    evidence: Mapping[str, Any] | None = None,
) -> Release:
    """Take a canary or the current release out of production.

    Raises:
        ReleaseConflict: it is not served, or there is nothing to return to.
    """
    by = By(actor=actor, at=_now(context), reason=reason, evidence=evidence or {})
    return _act(context, release_id, by, lifecycle.roll_back)


def promote(
    context: Context, release_id: str, reason: str, *, evidence: Mapping[str, Any]
) -> Release:
    """Make a canary the current release, on the evidence of live traffic.

    Raises:
        ReleaseConflict: it is no canary.
    """
    by = By(actor=SPANLOOP, at=_now(context), reason=reason, evidence=evidence)
    return _act(context, release_id, by, lifecycle.promote)


def save_live(context: Context, release: Release, live: Live) -> Release:
    """Store what live traffic says of a release; its state stays what it is by now."""

    def decide(line: Line) -> Change | Release:
        now = lifecycle.find(line, release.release_id)
        return now if now.live == live else lifecycle.with_live(now, live, _by(context, SPANLOOP))

    return _step(
        context,
        lambda: load_releases(context, agent=release.agent, project=release.project),
        decide,
    )


def _act(
    context: Context, release_id: str, by: By, step: Callable[[Line, str, By], Change]
) -> Release:
    def decide(line: Line) -> Change:
        return step(line, lifecycle.find(line, release_id).release_id, by)

    return _step(context, lambda: load_releases(context, release=release_id), decide)


def _step(
    context: Context,
    load: Callable[[], list[Release]],
    decide: Callable[[Line], Change | Release],
) -> Release:
    """Read, decide and write as one step; return the release that it was about, as it then is."""
    with _TURN:
        line = load()
        if len({(r.project, r.agent) for r in line}) > 1:
            raise ReleaseConflict("releases of several agents have that id; give more of it")
        decided = decide(line)
        if isinstance(decided, Release):
            return decided
        save(context, decided)
        return decided.releases[0]


def _proposed(line: Line, release_id: str, proposal: ReleaseProposal, by: By) -> Release:
    current = lifecycle.current_of(line)
    tested = current is not None and current.configuration.hash == proposal.baseline_hash
    return Release(
        release_id=release_id,
        project=proposal.project,
        agent=proposal.agent,
        number=lifecycle.next_number(line),
        state="proposed",
        configuration=proposal.configuration,
        previous=current.release_id if current is not None and tested else "",
        candidate_id=proposal.candidate_id,
        experiment_id=proposal.experiment_id,
        effect=proposal.effect,
        created_at=by.at,
        version=lifecycle.milliseconds(by.at),
    )


def _release_id(*parts: str) -> str:
    return f"rel-{digest(parts)[:16]}"


def _now(context: Context) -> datetime:
    return time_of(context.now_ms)


def _by(context: Context, actor: str, reason: str = "") -> By:
    return By(actor=actor, at=_now(context), reason=reason)
