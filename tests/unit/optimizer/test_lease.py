import threading

import pytest

from spanloop.optimizer.models import BudgetExhausted, BudgetReserved, Lease


def test_calls_in_flight_never_pass_the_cap() -> None:
    lease = Lease(max_tokens=1_000)
    taken: list[int] = []

    def spend() -> None:
        for _ in range(50):
            try:
                reservation = lease.reserve(30, None)
            except BudgetExhausted:
                continue
            assert lease.tokens + lease.reserved_tokens <= lease.max_tokens
            reservation.settle(20, None)
            taken.append(20)

    threads = [threading.Thread(target=spend) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert lease.tokens == sum(taken) <= 1_000
    assert lease.reserved_tokens == 0
    assert lease.tokens > 1_000 - 30


def test_what_calls_in_flight_may_give_back_is_not_exhausted_yet() -> None:
    lease = Lease(max_tokens=100, max_usd=1.0)
    first = lease.reserve(80, 0.9)
    with pytest.raises(BudgetReserved):
        lease.reserve(30, 0.05)
    with pytest.raises(BudgetReserved):
        lease.reserve(10, 0.2)
    first.settle(10, 0.1)
    lease.reserve(30, 0.5).cancel()
    with pytest.raises(BudgetExhausted, match="90 are left") as exhausted:
        lease.reserve(91, 0.1)
    assert not isinstance(exhausted.value, BudgetReserved)
    assert (lease.tokens, lease.usd, lease.reserved_usd) == (10, 0.1, 0.0)


def test_a_reservation_left_open_is_taken_in_full_and_closed_once() -> None:
    lease = Lease(max_tokens=100)
    with pytest.raises(ValueError, match="lost"), lease.reserve(40, None):
        raise ValueError("lost")
    assert (lease.tokens, lease.unpriced) == (40, 1)
    with lease.reserve(40, 0.5) as reservation:
        reservation.cancel()
    assert (lease.tokens, lease.usd) == (40, 0.0)
    with pytest.raises(RuntimeError):
        reservation.settle(1, None)
