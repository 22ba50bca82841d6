"""Write findings back: read them window by window, send what is new, remember what arrived.

Nothing is sent twice under two ids, whatever ends a run: an entry stands in the ledger before its span
leaves.
"""

from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Protocol, TypeVar

from opentelemetry.sdk._logs import ReadableLogRecord
from opentelemetry.sdk.trace import ReadableSpan

from spanloop.optimizer.annotations.findings import FINDINGS, Row, make_note
from spanloop.optimizer.annotations.ledger import (
    Entry,
    by_key,
    decide,
    entry_of,
    retract,
    unlogged,
)
from spanloop.optimizer.annotations.note import Key, Kind, Note, Target
from spanloop.optimizer.annotations.spans import Issue, log_of, span_of
from spanloop.optimizer.annotations.storing import (
    PAGE,
    WINDOW,
    Scope,
    Window,
    read_entries,
    read_held,
    read_standing,
    read_targets,
    read_windows,
    write_entries,
)
from spanloop.optimizer.annotations.working import read_work
from spanloop.optimizer.context import Context

T = TypeVar("T")
NO_LOGS = (
    "the endpoint takes no log events (Jaeger does not): the spans say the same; "
    "annotations.log_events: false stops trying"
)


class Sender(Protocol):
    """Sends in order and says how many of the first ones the endpoint acknowledged."""

    def send_spans(self, spans: Sequence[ReadableSpan]) -> int:
        """Send spans."""
        ...

    def send_logs(self, records: Sequence[ReadableLogRecord]) -> int:
        """Send log events."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """What is to be written where.

    Attributes:
        endpoint: name of the destination in the ledger.
        kinds: of findings.
        scope: of findings; our own work is of no agent, and only its time counts.
        max_chars: of an explanation.
        log_events: whether the standard log event is sent too.
        dry_run: say what would be sent, send and remember nothing.
        window: findings that are kept in memory at a time.
    """

    endpoint: str
    kinds: Sequence[Kind]
    scope: Scope
    max_chars: int = 500
    log_events: bool = True
    dry_run: bool = False
    window: int = WINDOW


@dataclass(slots=True, kw_only=True)
class KindReport:
    """What was done about a kind.

    Attributes:
        found: findings that hold.
        unchanged: of them, already there.
        sent: versions that the endpoint acknowledged (of a dry run: that would be sent).
        retracted: of those sent, take a finding back.
        logged: log events that it acknowledged.
        failed: versions that it did not acknowledge; the next run sends them again.
        gone: findings whose trace is no longer stored.
    """

    kind: Kind
    found: int = 0
    unchanged: int = 0
    sent: int = 0
    retracted: int = 0
    logged: int = 0
    failed: int = 0
    gone: int = 0


@dataclass(slots=True, kw_only=True)
class Report:
    """What a run did."""

    endpoint: str
    dry_run: bool
    kinds: list[KindReport] = field(default_factory=list[KindReport])
    notes: list[str] = field(default_factory=list[str])

    @property
    def failed(self) -> int:
        """Versions that the endpoint did not acknowledge."""
        return sum(kind.failed for kind in self.kinds)


def write_back(
    context: Context, sender: Sender, wish: Wish, *, clock_ms: Callable[[], int]
) -> Report:
    """Bring an endpoint up to what is known; stop at the first request that it does not acknowledge."""
    run = _Run(context, sender, wish, clock_ms)
    for kind in wish.kinds:
        run.write(kind)
        if run.report.failed:
            run.report.notes.append(
                "the endpoint did not acknowledge a request; the next run sends what is missing"
            )
            break
    return run.report


class _Run:
    """One run."""

    def __init__(
        self, context: Context, sender: Sender, wish: Wish, clock_ms: Callable[[], int]
    ) -> None:
        self._context = context
        self._sender = sender
        self._wish = wish
        self._clock_ms = clock_ms
        self._logs = wish.log_events
        self._version = 0
        self.report = Report(endpoint=wish.endpoint, dry_run=wish.dry_run)

    def write(self, kind: Kind) -> None:
        """Write what is new of ``kind``, and take back what no longer holds."""
        self._context.progress.stage(f"annotate {kind}")
        done = KindReport(kind=kind)
        self.report.kinds.append(done)
        if kind in FINDINGS:
            self._write_findings(kind, done)
            return
        for notes in read_work(self._context, self._wish.scope.since_ms):
            self._write_page(notes, done)
            if done.failed:
                return

    def _write_findings(self, kind: Kind, done: KindReport) -> None:
        """Write and take back window by window: what holds is remembered of one alone."""
        windows = read_windows(self._context, kind, self._wish.scope, most=self._wish.window)
        for window in windows:
            holds: set[Key] = set()
            for rows in _pages(window.rows):
                located = self._locate(rows)
                holds.update(_key(kind, row, target) for row, target in located if target)
                self._write_page(self._due(kind, located, done), done)
                if done.failed:
                    return
            self._take_back(kind, window, holds, done)
            if done.failed:
                return

    def _locate(self, rows: Sequence[Row]) -> Sequence[tuple[Row, Target | None]]:
        targets = read_targets(self._context, [(r["TraceId"], r["SpanId"]) for r in rows])
        return [(row, targets.of(row["TraceId"], row["SpanId"])) for row in rows]

    def _due(
        self, kind: Kind, located: Sequence[tuple[Row, Target | None]], done: KindReport
    ) -> Sequence[Note]:
        """Return the notes of what is to be written: not of what is open, nor where the trace is gone."""
        due = [(row, target) for row, target in located if not row.get("Open")]
        notes = [
            make_note(kind, row, target, max_chars=self._wish.max_chars)
            for row, target in due
            if target is not None
        ]
        done.gone += len(due) - len(notes)
        return notes

    def _write_page(self, notes: Sequence[Note], done: KindReport) -> None:
        done.found += len(notes)
        self._write_new(notes, done)
        self._context.progress.advance(len(notes))

    def _write_new(self, notes: Sequence[Note], done: KindReport) -> None:
        if not notes:
            return
        known = self._known(done.kind, (note.key for note in notes))
        issues: list[Issue] = []
        silent: list[tuple[Issue, Entry]] = []
        for note in notes:
            entries = known.get(note.key, [])
            issue = decide(note, entries, self._wish.endpoint)
            if issue is not None:
                issues.append(issue)
                continue
            done.unchanged += 1
            entry = unlogged(note, entries, self._wish.endpoint) if self._logs else None
            if entry is not None:
                said = Issue(note=note, version=entry.version, found_ms=entry.found_ms)
                silent.append((said, entry))
        self._send(issues, done)
        if not done.failed and not self._wish.dry_run:
            self._log(silent, done)

    def _take_back(
        self, kind: Kind, window: Window, holds: Collection[Key], done: KindReport
    ) -> None:
        pages = read_standing(
            self._context, kind, self._wish.scope, self._wish.endpoint, window=window
        )
        for keys in pages:
            for some in _pages([key for key in keys if key not in holds]):
                self._retract(kind, some, done)
                if done.failed:
                    return

    def _retract(self, kind: Kind, keys: Sequence[Key], done: KindReport) -> None:
        """Take back those of ``keys`` that hold nowhere: what a finding is about may have moved in time."""
        still = self._still(kind, [trace for _, trace, _, _ in keys])
        left = [key for key in keys if key not in still]
        if not left:
            return
        known = self._known(kind, left)
        targets = read_targets(self._context, [(trace, span) for _, trace, span, _ in left])
        issues: list[Issue] = []
        for key in left:
            target = targets.spans.get((key[1], key[2]))
            mine = next(e for e in known[key] if e.endpoint == self._wish.endpoint)
            if target is None:
                done.gone += 1  # gone with its trace
            elif (issue := retract(mine, known[key], target, self._context.now_ms)) is not None:
                issues.append(issue)
        self._send(issues, done)

    def _still(self, kind: Kind, traces: Sequence[str]) -> set[Key]:
        return {
            _key(kind, row, target)
            for rows in read_held(self._context, kind, traces)
            for some in _pages(rows)
            for row, target in self._locate(some)
            if target
        }

    def _known(self, kind: Kind, keys: Iterable[Key]) -> dict[Key, list[Entry]]:
        return by_key(read_entries(self._context, kind, [trace for _, trace, _, _ in keys]))

    def _send(self, issues: Sequence[Issue], done: KindReport) -> None:
        if self._wish.dry_run or not issues:
            done.sent += len(issues)
            done.retracted += sum(issue.retracted for issue in issues)
            return
        pending = [entry_of(issue, self._wish.endpoint) for issue in issues]
        self._remember(pending)
        n_sent = self._sender.send_spans([span_of(issue) for issue in issues])
        at = self._clock_ms()
        sent = [replace(entry, state="sent", sent_ms=at) for entry in pending[:n_sent]]
        self._remember(sent)
        done.sent += n_sent
        done.failed += len(issues) - n_sent
        done.retracted += sum(entry.retracted for entry in sent)
        self._log(list(zip(issues, sent, strict=False)), done)

    def _log(self, sent: Sequence[tuple[Issue, Entry]], done: KindReport) -> None:
        """Send the log events of what was sent."""
        told = [(log_of(issue), entry) for issue, entry in sent] if self._logs else []
        due = [(record, entry) for record, entry in told if record is not None]
        if not due:
            return
        n_logged = self._sender.send_logs([record for record, _ in due])
        at = self._clock_ms()
        self._remember([replace(entry, logged_ms=at) for _, entry in due[:n_logged]])
        done.logged += n_logged
        if n_logged < len(due):
            self._logs = False
            self.report.notes.append(NO_LOGS)

    def _remember(self, entries: Sequence[Entry]) -> None:
        """Write entries as a newer version than any before: a clock may stand still."""
        self._version = max(self._clock_ms(), self._version + 1)
        write_entries(self._context, entries, self._version)


def _key(kind: Kind, row: Row, target: Target) -> Key:
    return kind, target.trace_id, target.span_id, row["Identifier"]


def _pages(items: Sequence[T]) -> Iterator[Sequence[T]]:
    for begin in range(0, len(items), PAGE):
        yield items[begin : begin + PAGE]
