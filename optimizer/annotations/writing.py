"""Write findings back: read them page by page, send what is new, remember what arrived.

Nothing is sent twice under two ids, whatever ends a run: an entry stands in the ledger before its span
leaves.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Protocol

from opentelemetry.sdk._logs import ReadableLogRecord
from opentelemetry.sdk.trace import ReadableSpan

from spanloop.optimizer.annotations.findings import FINDINGS, make_note
from spanloop.optimizer.annotations.ledger import (
    RETRACTABLE,
    Entry,
    by_key,
    decide,
    entry_of,
    retract,
    unlogged,
)
from spanloop.optimizer.annotations.note import Key, Kind, Note
from spanloop.optimizer.annotations.spans import Issue, log_of, span_of
from spanloop.optimizer.annotations.storing import (
    Scope,
    read_entries,
    read_findings,
    read_standing,
    read_targets,
    write_entries,
)
from spanloop.optimizer.annotations.working import read_work
from spanloop.optimizer.context import Context

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
    """

    endpoint: str
    kinds: Sequence[Kind]
    scope: Scope
    max_chars: int = 500
    log_events: bool = True
    dry_run: bool = False


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
    """One run; remembers what holds, so that the rest can be taken back."""

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
        holds: set[Key] = set()
        for keys, notes in self._found(kind, done):
            done.found += len(notes)
            if kind in RETRACTABLE:
                holds.update(keys)
            self._write_new(notes, done)
            self._context.progress.advance(len(notes))
            if done.failed:
                return
        if kind in RETRACTABLE:
            self._take_back(kind, holds, done)

    def _found(
        self, kind: Kind, done: KindReport
    ) -> Iterator[tuple[Sequence[Key], Sequence[Note]]]:
        """Yield the findings that hold, and those of them that are to be written, page by page."""
        if kind not in FINDINGS:
            for notes in read_work(self._context, self._wish.scope.since_ms):
                yield [], notes
            return
        for rows in read_findings(self._context, kind, self._wish.scope):
            targets = read_targets(self._context, [(r["TraceId"], r["SpanId"]) for r in rows])
            keys: list[Key] = []
            notes: list[Note] = []
            for row in rows:
                target = targets.of(row["TraceId"], row["SpanId"])
                if target is not None:
                    keys.append((kind, target.trace_id, target.span_id, row["Identifier"]))
                due = not row.get("Open")
                if due and target is not None:
                    notes.append(make_note(kind, row, target, max_chars=self._wish.max_chars))
                done.gone += due and target is None
            yield keys, notes

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

    def _take_back(self, kind: Kind, holds: set[Key], done: KindReport) -> None:
        pages = read_standing(self._context, kind, self._wish.scope, self._wish.endpoint)
        for keys in pages:
            left = [key for key in keys if key not in holds]
            if not left:
                continue
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
            if done.failed:
                return

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
