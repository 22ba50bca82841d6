"""kill -9 at random moments under load."""

import random
import time
from dataclasses import asdict
from pathlib import Path
from typing import Any, Literal

from benchmarks.durability.audit import audit
from benchmarks.durability.ledger import Ledger
from benchmarks.durability.load import Load, LogLoad
from benchmarks.durability.relay import Notary, Rotel
from benchmarks.durability.server import Server

Sender = Literal["sdk", "rotel"]
LONGEST_LIFE_S = 2.5
STARTUP_KILL_SHARE = 0.2  # of the kills, how many hit the start, recovery included


def kill_loop(directory: Path, sender: Sender, kills: int, *, seed: int = 1) -> dict[str, Any]:
    """Kill the server ``kills`` times under load from ``sender``; return the audit and the counts."""
    server = Server(directory)
    ledger = Ledger(directory / "ledger")
    notary = Notary(server.grpc, ledger)
    rotel = Rotel(directory, notary.address)
    log_ledger = Ledger(directory / "ledger.logs")
    log_load = LogLoad(server.grpc, log_ledger)
    load = Load(server.grpc, ledger) if sender == "sdk" else Load(rotel.address, None)
    try:
        server.start()
        if sender == "rotel":
            notary.start()
            rotel.start()
        load.start()
        log_load.start()
        with_work = _kill(server, kills, random.Random(seed))
        log_load.finish()
        load.finish()
        if sender == "rotel":
            rotel.stop(ledger, load.n_sent)
        server.wait_stored()
        server.stop()
    finally:
        server.kill()
        notary.stop()
        ledger.close()
        log_ledger.close()
    doubled = notary.doubled() if sender == "rotel" else {}
    verdict = audit(server.data, ledger.path, log_ledger.path, doubled=doubled)
    return {
        "kills": kills,
        "kills_with_unstored_segments": with_work,
        "spans_sent_by_sdk": load.n_sent,
        "exports_repeated_by_sdk": load.n_repeats,
        "spans_in_several_requests_of_the_relay": len(doubled),
        "dead_letters": server.dead_letters(),
        "lost": verdict.lost,
        "twice": verdict.twice,
        "passed": verdict.lost == verdict.twice == 0 < verdict.acknowledged,
        **asdict(verdict),
    }


def _kill(server: Server, kills: int, rng: random.Random) -> int:
    """Kill and start again; the server runs before and after. Return the kills that met work."""
    with_work = 0
    for _ in range(kills):
        time.sleep(rng.uniform(0.05, LONGEST_LIFE_S))
        server.kill()
        with_work += server.unstored() > 0
        while rng.random() < STARTUP_KILL_SHARE:
            server.spawn()
            time.sleep(rng.uniform(0.0, 1.5))
            server.kill()
        server.start()
    return with_work
