"""What /metrics says, in the text format that Prometheus parses."""

from __future__ import annotations

import re
import time
from pathlib import Path

from spanloop.receiver import telemetry as names
from spanloop.receiver.fakes import FakeInserter
from spanloop.receiver.log import Log, LogSettings
from spanloop.receiver.telemetry import Telemetry
from spanloop.service import prometheus

LINE = re.compile(
    r'(# (HELP|TYPE) spanloop_\w+ .+|spanloop_\w+(\{signal="\w+"\})? -?[0-9]+(\.[0-9]+)?(e[+-]\d+)?)'
)


def make_log(directory: Path, telemetry: Telemetry) -> Log:
    return Log(directory, LogSettings(), make_inserter=FakeInserter, telemetry=telemetry)


def test_every_counter_and_gauge_is_there(tmp_path: Path) -> None:
    telemetry = Telemetry()
    telemetry.add(names.ACKED, "traces", 7)
    telemetry.add(names.ACKED, "logs", 10**15)
    log = make_log(tmp_path, telemetry)
    log.dead_letters.add("traces", b"x", "bad")
    text = prometheus.render(telemetry, log)
    lines = text.splitlines()
    assert text.endswith("\n")
    assert all(LINE.fullmatch(line) for line in lines), lines
    assert 'spanloop_acked_items_total{signal="traces"} 7' in lines
    assert f'spanloop_acked_items_total{{signal="logs"}} {10**15}' in lines
    assert "spanloop_dead_letter_files 1.0" in lines
    assert "# TYPE spanloop_log_bytes gauge" in lines


def test_each_counter_of_the_receiver_has_its_help() -> None:
    counters = {
        value for name, value in vars(names).items() if name.isupper() and isinstance(value, str)
    }
    described = {
        line.split()[2].removeprefix("spanloop_").removesuffix("_total")
        for line in prometheus.render(Telemetry(), _NoLog()).splitlines()  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
        if line.startswith("# TYPE") and line.endswith("counter")
    }
    assert described == counters


class _NoLog:
    n_bytes = 123_456_789_012

    def __init__(self) -> None:
        self.oldest_received_ns = time.time_ns() - 5_000_000_000

    waiting_segments = {"traces": 2, "logs": 1}  # noqa: RUF012
    dead_letters = ()


def test_gauges_keep_every_digit() -> None:
    values = {
        name: value
        for name, (_, value) in prometheus.gauges(_NoLog()).items()  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    }
    assert values["log_segments"] == 3
    assert 5 <= values["oldest_unstored_age_seconds"] < 60
    text = prometheus.render(Telemetry(), _NoLog())  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    assert "spanloop_log_bytes 123456789012.0" in text
