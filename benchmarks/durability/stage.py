"""What a scenario plays on: a server, its ledger, a fault layer under its data, and the verdict."""

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from opentelemetry.sdk.trace import ReadableSpan

from benchmarks.durability.audit import audit
from benchmarks.durability.ledger import Ledger
from benchmarks.durability.load import SpanSource, ids_of, send_once, send_until_taken
from benchmarks.durability.server import Server
from benchmarks.faultfs import FaultLayer, Rule

NO_DATABASE = (Rule("errno:5", "write", "*/data/db/*"), Rule("errno:5", "open", "*/data/db/*"))


@dataclass(frozen=True, slots=True)
class Scale:
    """How long scenarios last (``quick`` for tests) and the ``seed`` of their random moments."""

    quick: bool = False
    seed: int = 1

    def pick(self, full: float, quick: float) -> float:
        """Return the first figure, or the second where it must be quick."""
        return quick if self.quick else full


Facts = dict[str, Any]
Scenario = Callable[[Path, Scale], Facts]


class Stage:
    """A server on ``directory``, watched by a fault layer unless ``watched`` is false."""

    def __init__(
        self, directory: Path, config: Mapping[str, Any] | None = None, *, watched: bool = True
    ) -> None:
        self.server = Server(directory, config)
        self.ledger = Ledger(directory / "ledger")
        self.source = SpanSource(1)
        self._layer = FaultLayer(self.server.volume, directory / "faults") if watched else None

    @property
    def layer(self) -> FaultLayer:
        """The fault layer."""
        assert self._layer is not None
        return self._layer

    def start(self, *rules: Rule) -> None:
        """Start the server, ``rules`` in force from the moment it listens."""
        if self._layer is None:
            self.server.start()
            return
        self._layer.set_rules(())
        self.server.start(self._layer.environment)
        self._layer.set_rules(rules)

    def spawn(self, rule: Rule, *, from_start: bool) -> None:
        """Start with a fault that may hit before the server listens, or only after."""
        self.layer.set_rules([rule] if from_start else ())
        self.server.spawn(self.layer.environment)
        if not from_start:
            self.server.wait_ready()
            self.layer.set_rules([rule])

    def send(self, n: int = 50) -> list[ReadableSpan]:
        """Send new spans until they are taken, and enter them in the ledger."""
        spans = self.source.take(n)
        self.resend(spans)
        return spans

    def resend(self, spans: list[ReadableSpan]) -> None:
        """Send these spans until they are taken, and enter them in the ledger."""
        send_until_taken(self.server.grpc, spans)
        self.ledger.acknowledge(ids_of(spans))

    def send_unheard(self, n: int = 50) -> tuple[list[ReadableSpan], bool]:
        """Send new spans once; return them and whether they were acknowledged (then in the ledger)."""
        spans = self.source.take(n)
        taken = send_once(self.server.grpc, spans)
        if taken:
            self.ledger.acknowledge(ids_of(spans))
        return spans, taken

    def close(self) -> None:
        """Leave nothing running; safe to call twice."""
        self.server.kill()
        self.ledger.close()

    def verdict(self, *, data: Path | None = None, **facts: object) -> Facts:
        """Drain the stopped server without any fault, audit it, and say whether it passed.

        Args:
            data: where a database apart from the server keeps its ``db``; that server has drained.
            facts: more to report.
        """
        if data is None:
            self.server.drain()
        self.close()
        found = audit(data or self.server.data, self.ledger.path)
        return {
            "passed": found.lost == found.twice == 0 < found.acknowledged,
            "lost": found.lost,
            "twice": found.twice,
            "dead_letters": self.server.dead_letters(),
            **facts,
            **asdict(found),
        }


def failed(facts: Facts, reason: str) -> Facts:
    """Mark a scenario as failed because it did not happen as meant."""
    return {**facts, "passed": False, "reason": reason}
