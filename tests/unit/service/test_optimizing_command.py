"""``spanloop optimize --continuous`` without a server."""

import pytest

from spanloop.processor.errors import PermanentError
from spanloop.service.cli.optimizing import repeat


def test_a_cycle_that_fails_is_told_and_the_next_one_tries_again(
    capsys: pytest.CaptureFixture[str],
) -> None:
    cycles: list[int] = []
    slept: list[float] = []

    def cycle() -> None:
        cycles.append(1)
        if len(cycles) == 1:
            raise PermanentError("the running server does not answer")
        if len(cycles) == 3:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        repeat(cycle, interval_s=900, sleep=slept.append)
    assert (len(cycles), slept) == (3, [900, 900])
    assert capsys.readouterr().err == (
        "spanloop: this cycle failed: the running server does not answer; the next try is in 900 s\n"
    )
