"""The live check: what traffic says of a canary, or of a release that became current; and what follows.

A roll-back needs no person and no least number of trajectories; a promotion needs both evidence and mode
(`release.Mode`). Outcomes are labels where a trajectory has one, else scores: the evidence says how many of
each. Scores are those of the newest model, so evidence from them is reckoned anew at each check.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, Literal

import numpy as np

from spanloop.optimizer.context import Context
from spanloop.optimizer.releases import acting
from spanloop.optimizer.releases.comparing import (
    MISMATCH_LEVEL,
    Comparison,
    Floats,
    Traffic,
    compare,
    watch,
)
from spanloop.optimizer.releases.document import Unit
from spanloop.optimizer.releases.lifecycle import canary_of, current_of, is_stale, milliseconds
from spanloop.optimizer.releases.release import SPANLOOP, Live, Mode, Release, ReleaseConflict
from spanloop.optimizer.releases.stored import load_releases
from spanloop.processor.errors import PermanentError

DAY_MS = 86_400_000
MOST_TRAJECTORIES = 200_000
"""Of one check; the earliest count, so that a check never forgets what one before it saw."""
FAR_MS = 1 << 53


@dataclass(frozen=True, slots=True, kw_only=True)
class LiveSettings:
    """How the live check decides.

    Attributes:
        mode: who lets a release in.
        canary_share: of conversations, that a canary begins with.
        unit: what is assigned, as the configuration API tells agents.
        worse_level: chance at most to roll back a canary that is no worse, over all checks of it.
        promote_level: chance at most to promote one that is worse by ``margin``.
        margin: by which a promoted canary may be worse, in satisfaction.
        fewest: judged trajectories of a canary before it can be promoted.
        horizon: judged trajectories of both sides after which mode ``auto`` waits no longer.
        settle_s: after a change of share, until every agent has heard of it; trajectories begun then
            do not count.
        watch_days: for which a promoted release is watched.
        tolerance: by which satisfaction may fall below that of the release before.
    """

    mode: Mode = "manual"
    canary_share: float = 0.1
    unit: Unit = "conversation"
    worse_level: float = 0.1
    promote_level: float = 0.05
    margin: float = 0.05
    fewest: int = 30
    horizon: int = 2_000
    settle_s: float = 60.0
    watch_days: int = 14
    tolerance: float = 0.05


Decision = Literal["nothing", "continue", "ready", "begun", "promoted", "rolled_back"]


@dataclass(frozen=True, slots=True, kw_only=True)
class LiveVerdict:
    """What a check of one agent came to.

    Attributes:
        decision: ``nothing`` to check; ``continue``; ``ready``: not worse, a person may promote it;
            ``begun``: a waiting release became the canary; ``promoted``; ``rolled_back``.
        release_id: that it is about; '' = none.
        evidence: numbers, as kept in the audit trail.
    """

    agent: str
    decision: Decision
    release_id: str = ""
    reason: str = ""
    evidence: Mapping[str, Any] = field(default_factory=dict[str, Any])


def check_live(
    context: Context, agent: str, settings: LiveSettings, *, project: str = ""
) -> LiveVerdict:
    """Look at the live traffic of ``agent`` and do what it says; safe to repeat.

    Whatever a person does in the same moment goes first: the next check sees what it led to.
    """
    try:
        return _checked(context, agent, settings, project)
    except ReleaseConflict as conflict:
        return LiveVerdict(
            agent=agent, decision="continue", reason=f"changed meanwhile: {conflict}"
        )


def _checked(context: Context, agent: str, settings: LiveSettings, project: str) -> LiveVerdict:
    line = load_releases(context, agent=agent, project=project)
    current, canary = current_of(line), canary_of(line)
    if current is None:
        return LiveVerdict(agent=agent, decision="nothing", reason="no configuration is registered")
    fallen = _watch_current(context, line, current, settings)
    if fallen.decision == "rolled_back":
        return fallen
    if canary is not None:
        return _check_canary(context, canary, current, settings)
    return _begin_waiting(context, line, settings) or fallen


def _check_canary(
    context: Context, canary: Release, current: Release, settings: LiveSettings
) -> LiveVerdict:
    traffic, labelled = _traffic(context, canary, current, settings)
    found = compare(
        traffic, margin=settings.margin, level=settings.worse_level, horizon=settings.horizon
    )
    evidence = {
        **asdict(found),
        "against": current.release_id,
        "labelled": labelled,
        "scored": int(traffic.judged.sum()) - labelled,
        "unjudged": int((~traffic.judged).sum()),
        "unstamped": _unstamped(context, canary, current),
        "method": "inverse-propensity bets on a draw of known share, anytime-valid (docs/releases.md)",
    }
    acting.save_live(context, canary, _live(found))
    step, reason = judge(found, settings)
    if step == "roll_back":
        acting.roll_back(context, canary.release_id, SPANLOOP, reason, evidence=evidence)
        return _verdict(canary, "rolled_back", reason, evidence)
    if step == "promote" and settings.mode != "manual":
        acting.promote(context, canary.release_id, reason, evidence=evidence)
        return _verdict(canary, "promoted", reason, evidence)
    decision: Decision = "ready" if step == "promote" else "continue"
    return _verdict(canary, decision, reason, evidence)


def judge(
    found: Comparison, settings: LiveSettings
) -> tuple[Literal["roll_back", "promote", "continue"], str]:
    """Say what a comparison of a canary calls for, and why."""
    if found.e_worse >= 1 / settings.worse_level:
        return "roll_back", f"worse in live traffic: e-value {found.e_worse:.1f}"
    if found.e_mismatch >= 1 / MISMATCH_LEVEL:
        return (
            "continue",
            "conversations are not divided as they should be (sample-ratio mismatch); not promoted",
        )
    enough = found.n >= settings.fewest
    if enough and found.e_not_worse >= 1 / settings.promote_level:
        return "promote", f"not worse in live traffic: e-value {found.e_not_worse:.1f}"
    undecided = found.n + found.n_other >= settings.horizon
    if settings.mode == "auto" and enough and undecided and (found.effect or 0) > -settings.margin:
        return "promote", "live traffic does not tell in its time; the experiment decides"
    return "continue", f"{found.n} judged trajectories do not decide yet"


def _watch_current(
    context: Context, line: Sequence[Release], current: Release, settings: LiveSettings
) -> LiveVerdict:
    """Compare a release that became current with the one before it, for some days."""
    before = next((r for r in line if r.release_id == current.previous), None)
    begun_ms = milliseconds(current.activated_at) if current.activated_at else 0
    age_ms = context.now_ms - begun_ms
    if before is None or not current.candidate_id or age_ms > settings.watch_days * DAY_MS:
        return LiveVerdict(agent=current.agent, decision="nothing", reason="nothing is under way")
    settled_ms = begun_ms + round(settings.settle_s * 1_000)
    is_, was = (
        _Outcomes.of(_rows(context, current, [release], settings, span))
        for release, span in (
            (current.release_id, (settled_ms, FAR_MS)),
            (before.release_id, (begun_ms - 30 * DAY_MS, begun_ms)),
        )
    )
    found = watch(
        is_.known,
        was.known,
        tolerance=settings.tolerance,
        level=settings.worse_level,
        horizon=settings.horizon,
    )
    evidence = {
        **asdict(found),
        "against": before.release_id,
        "labelled": is_.labelled,
        "scored": is_.known.size - is_.labelled,
        "method": "bets on a fall below the figures before it; not drawn by chance (docs/releases.md)",
    }
    if not found.n:
        return LiveVerdict(
            agent=current.agent, decision="nothing", reason="no judged trajectory yet"
        )
    acting.save_live(context, current, _live(found))
    if found.e_worse < 1 / settings.worse_level:
        return _verdict(current, "continue", "not below the figures before it", evidence)
    reason = f"satisfaction fell below that of the release before: e-value {found.e_worse:.1f}"
    acting.roll_back(context, current.release_id, SPANLOOP, reason, evidence=evidence)
    return _verdict(current, "rolled_back", reason, evidence)


def _begin_waiting(
    context: Context, line: Sequence[Release], settings: LiveSettings
) -> LiveVerdict | None:
    """Give the free place to the first release that waits for it."""
    if settings.mode == "manual":
        return None
    for release in line:
        if release.state == "proposed" and not is_stale(line, release):
            share = settings.canary_share
            begun = acting.begin_waiting_canary(context, release, share=share)
            if begun is not None:
                return _verdict(begun, "begun", f"canary with a share of {begun.share:g}", {})
    return None


@dataclass(frozen=True, slots=True, kw_only=True)
class _Outcomes:
    releases: Sequence[str]
    starts_ms: Sequence[int]
    satisfied: Floats
    labelled: int

    @classmethod
    def of(cls, rows: Sequence[Sequence[Any]]) -> "_Outcomes":
        return cls(
            releases=[row[0] for row in rows],
            starts_ms=[row[1] for row in rows],
            satisfied=np.array([np.nan if row[2] is None else row[2] for row in rows], float),
            labelled=sum(row[3] for row in rows),
        )

    @property
    def known(self) -> Floats:
        known: Floats = self.satisfied[~np.isnan(self.satisfied)]
        return known


def _traffic(
    context: Context, canary: Release, current: Release, settings: LiveSettings
) -> tuple[Traffic, int]:
    """Return trajectories of both, of times whose share is known and settled, and how many are labelled."""
    settle_ms = round(settings.settle_s * 1_000)
    shares = [
        (int(at), float(json.loads(evidence)["share"]))
        for at, evidence in context.rows("releases/select_shares", {"release": canary.release_id})
    ]
    if not shares:
        raise PermanentError(f"the audit trail does not say with what share {canary.label} began")
    releases = [canary.release_id, current.release_id]
    rows = _rows(context, canary, releases, settings, (shares[0][0] + settle_ms, FAR_MS))
    changed = np.array([at for at, _ in shares])
    starts = np.array([row[1] for row in rows], dtype=np.int64)
    place = np.searchsorted(changed, starts, side="right") - 1
    settled = starts >= changed[place] + settle_ms if rows else np.zeros(0, bool)
    kept = _Outcomes.of([row for row, use in zip(rows, settled, strict=True) if use])
    share = np.array([s for _, s in shares])[place][settled]
    is_canary = np.array([r == canary.release_id for r in kept.releases], bool)
    return Traffic(canary=is_canary, share=share, outcome=kept.satisfied), kept.labelled


def _rows(
    context: Context,
    of: Release,
    releases: Sequence[str],
    settings: LiveSettings,
    span: tuple[int, int],
) -> Sequence[Sequence[Any]]:
    return context.rows(
        "releases/select_live",
        {
            "project": of.project,
            "agent": of.agent,
            "releases": list(releases),
            "since": span[0],
            "until": span[1],
            "by_user": settings.unit == "user",
            "most": MOST_TRAJECTORIES,
        },
    )


def _unstamped(context: Context, canary: Release, current: Release) -> int:
    ((n,),) = context.rows(
        "releases/select_unstamped",
        {
            "project": canary.project,
            "agent": canary.agent,
            "releases": [canary.release_id, current.release_id],
            "since": milliseconds(canary.activated_at) if canary.activated_at else 0,
        },
    )
    return int(n)


def _live(found: Comparison) -> Live:
    return Live(
        effect=found.effect, low=found.low, high=found.high, n=found.n, e_worse=found.e_worse
    )


def _verdict(
    release: Release, decision: Decision, reason: str, evidence: Mapping[str, Any]
) -> LiveVerdict:
    return LiveVerdict(
        agent=release.agent,
        decision=decision,
        release_id=release.release_id,
        reason=reason,
        evidence=evidence,
    )
