"""How an episode ends otherwise than by its user leaving."""

from spanloop.optimizer.replay.episode import RunState


class Ended(Exception):
    """Carried from where it happens to where the state of the episode is told."""

    def __init__(self, state: RunState, kind: str) -> None:
        super().__init__(f"{state}: {kind}")
        self.state: RunState = state
        self.kind = kind
