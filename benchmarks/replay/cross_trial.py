"""Calls of one run answered from tapes of other runs of its task, compared with what that run really got.

Two ways: *own path* lets the world live on its own answers, as in an episode; *true path* tells it after
every call what really happened, so that each answer is judged by itself. Beside ours stands the known way:
the first recorded call with the same text. A write is known here by the name of its tool, not by the product.
"""

import json
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from benchmarks.replay.runs import Run, by_task, share
from spanloop.optimizer.replay.world import Tape, ToolAnswer, ToolWorld
from spanloop.optimizer.scenarios.scenario import TapeCall

AIMS: Mapping[str, float] = {"exact": 0.99, "normalised": 0.99, "stub": 0.90}
TAPES = (1, 3, None)
"""Other runs on the tape; None = all of the task."""

WRITES = frozenset(
    (
        "book_reservation",
        "cancel_reservation",
        "update_reservation_flights",
        "update_reservation_baggages",
        "update_reservation_passengers",
        "send_certificate",
        "cancel_pending_order",
        "modify_pending_order_items",
        "modify_pending_order_address",
        "modify_pending_order_payment",
        "modify_user_address",
        "return_delivered_order_items",
        "exchange_delivered_order_items",
        "refuel_data",
        "enable_roaming",
        "disable_roaming",
        "resume_line",
        "suspend_line",
        "send_payment_request",
        "make_payment",
        "toggle_airplane_mode",
        "toggle_data",
        "toggle_roaming",
        "toggle_data_saver_mode",
        "toggle_wifi_calling",
        "set_network_mode_preference",
        "set_apn_settings",
        "reset_apn_settings",
        "reseat_sim_card",
        "reboot_device",
        "grant_app_permission",
        "disconnect_vpn",
        "connect_vpn",
    )
)
"""Tools of the three domains that change their state."""


@dataclass(slots=True)
class Tally:
    """Answers of one way, counted."""

    asked: int = 0
    given: dict[str, int] = field(default_factory=lambda: defaultdict(int))
    right: dict[str, int] = field(default_factory=lambda: defaultdict(int))
    after_write: int = 0
    false_after_write: int = 0
    episodes: int = 0
    whole: int = 0
    wrong: dict[str, int] = field(default_factory=lambda: defaultdict(int))


Answer = Callable[[TapeCall], ToolAnswer | None]
"""Takes a call, returns its answer; None is a miss."""


def measure(runs: Sequence[Run], *, seed: int) -> dict[str, Any]:
    """Answer every run of a task with several runs from others of them."""
    ways = {
        f"{way}, {'all' if n is None else n} tape{'' if n == 1 else 's'}": _measured(
            runs, way, n, seed
        )
        for n in TAPES
        for way in WAYS
    }
    ours = ways["own path, all tapes"]
    return {"ways": ways, "aims": list(_aims(ours))}


def _measured(runs: Sequence[Run], way: str, tapes: int | None, seed: int) -> dict[str, Any]:
    by_set: dict[str, Tally] = defaultdict(Tally)
    rng = np.random.default_rng(seed)
    for task, alike in by_task(runs).items():
        for run in alike:
            others = [other for other in alike if other is not run]
            if not others or not run.calls:
                continue
            if tapes is not None:
                if len(others) < tapes:
                    continue
                chosen = rng.choice(len(others), size=tapes, replace=False)
                others = [others[at] for at in sorted(chosen)]
            recorded = [call for other in others for call in other.calls]
            for tally in (by_set[task[0]], by_set["both"]):
                _follow(run, WAYS[way](recorded, run), tally)
    return {name: _told(tally) for name, tally in sorted(by_set.items())}


def _follow(run: Run, answer: Answer, tally: Tally) -> None:
    written = False
    given = 0
    for call in run.calls:
        tally.asked += 1
        told = answer(call)
        if told is not None:
            given += 1
            right = _same(told.result, call.result)
            tally.given[told.tier] += 1
            tally.right[told.tier] += right
            tally.wrong[call.tool] += not right
            tally.after_write += written
            tally.false_after_write += written and not right
        written = written or (call.tool in WRITES and call.status != "error")
    tally.episodes += 1
    tally.whole += given == len(run.calls)


def _same(one: str | None, other: str | None) -> bool:
    """Return whether two answers are the same text, or the same JSON value."""
    if one == other or one is None or other is None:
        return one == other
    try:
        return bool(json.loads(one) == json.loads(other))
    except ValueError:
        return False


def _known_way(tape: Sequence[TapeCall], run: Run) -> Answer:
    del run
    first: dict[tuple[str, str], TapeCall] = {}
    for call in tape:
        first.setdefault((call.tool, call.arguments), call)

    def answer(call: TapeCall) -> ToolAnswer | None:
        found = first.get((call.tool, call.arguments))
        if found is None:
            return None
        return ToolAnswer(tier="exact", result=found.result or "", status=found.status)

    return answer


def _own_path(tape: Sequence[TapeCall], run: Run) -> Answer:
    del run
    world = ToolWorld(Tape(tape))

    def answer(call: TapeCall) -> ToolAnswer | None:
        told = world.answer(call.tool, call.arguments)
        return None if told.tier == "miss" else told

    return answer


def _true_path(tape: Sequence[TapeCall], run: Run) -> Answer:
    del run
    world = ToolWorld(Tape(tape))

    def answer(call: TapeCall) -> ToolAnswer | None:
        told = world.look_up(call.tool, call.arguments)
        truth = ToolAnswer(tier="exact", result=call.result or "", status=call.status)
        world.observe(call.tool, call.arguments, truth)
        return None if told.tier == "miss" else told

    return answer


WAYS: Mapping[str, Callable[[Sequence[TapeCall], Run], Answer]] = {
    "known exact match": _known_way,
    "own path": _own_path,
    "true path": _true_path,
}


def _told(tally: Tally) -> dict[str, Any]:
    given = sum(tally.given.values())
    return {
        "calls": tally.asked,
        "answered": share(given, tally.asked),
        "episodes answered whole": share(tally.whole, tally.episodes),
        "right": share(sum(tally.right.values()), given),
        "tiers": {
            tier: {
                "share of calls": share(n, tally.asked),
                "right": share(tally.right[tier], n),
            }
            for tier, n in sorted(tally.given.items())
        },
        "false after a write": share(tally.false_after_write, tally.after_write),
        "wrong, by tool": {tool: n for tool, n in sorted(tally.wrong.items()) if n},
    }


def _aims(ours: Mapping[str, Any]) -> Sequence[dict[str, Any]]:
    tiers = ours["both"]["tiers"]
    return [
        {
            "aim": f"right answers in tier {tier}",
            "wanted": f">= {wanted}",
            "measured": measured,
            "met": None if measured is None else measured >= wanted,
        }
        for tier, wanted in AIMS.items()
        for measured in [tiers[tier]["right"]["share"] if tier in tiers else None]
    ]
