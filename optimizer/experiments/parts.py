"""What experiments are run with."""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass

from spanloop.optimizer.context import unix_ms
from spanloop.optimizer.experiments.assessing import Assessor
from spanloop.optimizer.models import Lease
from spanloop.optimizer.models.rate_limit import RateLimiter
from spanloop.optimizer.replay.episode import EpisodeResult, Target

Recover = Callable[[Collection[str]], Mapping[str, EpisodeResult]]
"""By run id, episodes that had ended, by their stored spans, when a process died."""


def none_recovered(run_ids: Collection[str]) -> Mapping[str, EpisodeResult]:
    """Find nothing: for targets whose episodes leave no trace that can be read back."""
    del run_ids
    return {}


@dataclass(frozen=True, slots=True, kw_only=True)
class ExperimentParts:
    """What an experiment is run with; nothing here decides what is tested or how it is counted.

    Attributes:
        lease: asked before each round; the target takes from it what each call costs, or else what its
            episodes say they did is taken after the round (see `Target.spends_lease`).
        limiter: of everything that is asked at once, so of episodes at a time; the target's too.
        scenarios_a_round: at least so many are played and judged at once, and the looks within taken in their
            order. More save time (judging a round has a fixed cost, and a full one keeps all places busy),
            and waste what was played behind the look that decides.
        max_attempts: times a pair is played at most while episodes of it get lost.
        pause_s: before the second attempt; doubles with each.
        tokens_an_episode: upper bound before any episode has ended; None = unknown: the first round is begun,
            and each of its calls is checked. Also what an episode is taken to have cost that does not say.
        usd_an_episode: likewise.
    """

    target: Target
    assessor: Assessor
    lease: Lease
    limiter: RateLimiter
    recover: Recover = none_recovered
    clock_ms: Callable[[], int] = unix_ms
    scenarios_a_round: int = 1
    max_attempts: int = 3
    pause_s: float = 2.0
    tokens_an_episode: int | None = None
    usd_an_episode: float | None = None
