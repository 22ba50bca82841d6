"""What the command offers of candidates is what there is."""

from typing import get_args

from spanloop.optimizer.candidates.stored import State
from spanloop.service.candidates import STATES


def test_every_state_can_be_asked_for() -> None:
    assert sorted(STATES) == sorted(get_args(State))
