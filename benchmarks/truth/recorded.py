"""A recorded run as OTLP requests that can be rewritten so that every later history agrees.

Imports nothing of the product. Content is what OTel's GenAI conventions carry as JSON attributes:
``gen_ai.input.messages`` / ``gen_ai.output.messages`` (whole history or only what is new) and the
arguments and result of an ``execute_tool`` span.
"""

import hashlib
import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.trace.v1.trace_pb2 import ResourceSpans, ScopeSpans, Span

INPUT = "gen_ai.input.messages"
OUTPUT = "gen_ai.output.messages"
OPERATION = "gen_ai.operation.name"
CONVERSATION = "gen_ai.conversation.id"
CALL_ID = "gen_ai.tool.call.id"
TOOL_NAME = "gen_ai.tool.name"
ARGUMENTS = "gen_ai.tool.call.arguments"
RESULT = "gen_ai.tool.call.result"

Message = dict[str, Any]
Part = dict[str, Any]


@dataclass(slots=True, eq=False)
class Recorded:
    """A span, its place in the request, and its messages decoded."""

    span: Span
    place: int
    messages: dict[str, list[Message]] = field(default_factory=dict[str, list[Message]])

    def text(self, key: str) -> str:
        """Return string attribute ``key``, '' where absent."""
        return next((a.value.string_value for a in self.span.attributes if a.key == key), "")

    def put(self, key: str, value: str) -> None:
        """Set string attribute ``key``."""
        for attribute in self.span.attributes:
            if attribute.key == key:
                attribute.value.string_value = value
                return
        self.span.attributes.add(key=key).value.string_value = value

    def drop(self, key: str) -> None:
        """Remove attribute ``key``."""
        kept = [a for a in self.span.attributes if a.key != key]
        if len(kept) < len(self.span.attributes):
            del self.span.attributes[:]
            self.span.attributes.extend(kept)

    @property
    def operation(self) -> str:
        """``chat``, ``execute_tool``, ``invoke_agent``."""
        return self.text(OPERATION)

    @property
    def start(self) -> int:
        """Nanoseconds since 1970."""
        return self.span.start_time_unix_nano

    @property
    def id(self) -> str:
        """Span id in hex."""
        return self.span.span_id.hex()

    @property
    def parent(self) -> str:
        """Parent span id in hex, '' at a root."""
        return self.span.parent_span_id.hex()

    @property
    def trace(self) -> str:
        """Trace id in hex."""
        return self.span.trace_id.hex()


class Item(NamedTuple):
    """One thing that happened, in order.

    Attributes:
        kind: user, assistant (a text) or call.
        span: the span that told it first.
        text: what was said; of a call its id.
    """

    kind: str
    span: Recorded
    text: str


class Run:
    """One run: its spans in order of start, rewritten in place."""

    def __init__(self, requests: Sequence[ExportTraceServiceRequest]) -> None:
        """Copy ``requests``; they stay as they are."""
        self._blocks: list[ResourceSpans] = []
        self.spans: list[Recorded] = []
        known: dict[bytes, int] = {}
        for block, scope, span in _walk(requests):
            shell = ResourceSpans(resource=block.resource, schema_url=block.schema_url)
            shell.scope_spans.add(scope=scope.scope, schema_url=scope.schema_url)
            place = known.setdefault(shell.SerializeToString(deterministic=True), len(known))
            if place == len(self._blocks):
                self._blocks.append(shell)
            self._add(span, place)
        self.sort()

    def _add(self, span: Span, place: int) -> None:
        copy = Span()
        copy.CopyFrom(span)
        recorded = Recorded(copy, place)
        for key in (INPUT, OUTPUT):
            text = recorded.text(key)
            if text:
                recorded.messages[key] = json.loads(text)
        self.spans.append(recorded)

    def sort(self) -> None:
        """Order spans by start; a parent before its children."""
        self.spans.sort(key=lambda s: (s.start, -s.span.end_time_unix_nano))

    @property
    def key(self) -> str:
        """Conversation id, else the id of the first trace."""
        return next((s.text(CONVERSATION) for s in self.spans if s.text(CONVERSATION)), "") or (
            self.spans[0].trace
        )

    @property
    def chats(self) -> list[Recorded]:
        """Model calls in order."""
        return [s for s in self.spans if s.operation == "chat"]

    def tools(self) -> dict[str, Recorded]:
        """Return the tool spans whose call id is told once in the run, in order."""
        found: dict[str, list[Recorded]] = {}
        for span in self.spans:
            if span.operation == "execute_tool" and span.text(CALL_ID):
                found.setdefault(span.text(CALL_ID), []).append(span)
        asked: dict[str, int] = {}
        for _, part in self.asked():
            asked[part.get("id") or ""] = asked.get(part.get("id") or "", 0) + 1
        return {i: s[0] for i, s in found.items() if len(s) == 1 and asked.get(i) == 1}

    def asked(self) -> Iterator[tuple[Recorded, Part]]:
        """Yield every tool call that a model asked for, with its chat span."""
        for chat in self.chats:
            for message in chat.messages.get(OUTPUT, []):
                for part in message["parts"]:
                    if part["type"] == "tool_call":
                        yield chat, part

    def items(self) -> list[Item]:
        """Return what was said and called, in order, each once however often histories repeat it."""
        items: list[Item] = []
        seen: dict[tuple[str, str], int] = {}
        roots = [s for s in self.spans if s.operation == "invoke_agent"]
        for span in [*self.chats, *roots]:
            told: dict[tuple[str, str], int] = {}
            keys = (INPUT, OUTPUT) if span.operation == "chat" else (INPUT,)
            for kind, text in _items(span, keys):
                told[kind, text] = told.get((kind, text), 0) + 1
                if told[kind, text] > seen.get((kind, text), 0):
                    seen[kind, text] = told[kind, text]
                    items.append(Item(kind, span, text))
        return items

    def rewrite(self, change: Callable[[Part], Part | None]) -> None:
        """Replace every part of every message by ``change(part)``; None removes it, and empty messages go."""
        for span in self.spans:
            for key, messages in span.messages.items():
                kept: list[Message] = []
                for message in messages:
                    parts = [new for part in message["parts"] if (new := change(part)) is not None]
                    if parts:
                        kept.append({**message, "parts": parts})
                span.messages[key] = kept

    def rewrite_text(self, old: str, new: str) -> None:
        """Replace the text ``old`` of the assistant wherever it is told."""
        self.rewrite(lambda p: {**p, "content": new} if _is_text(p, old) else p)

    def postpone(self, later: Sequence[Recorded], start: int) -> None:
        """Let the spans ``later`` begin at ``start`` (ns); what encloses them ends later too."""
        if not later:
            return
        first = min(s.start for s in later)
        by = max(0, start - first)
        for span in self.spans:
            if span in later:
                span.span.start_time_unix_nano += by
            if span in later or span.span.end_time_unix_nano > first:
                span.span.end_time_unix_nano += by

    def enclosing(self, span: Recorded) -> list[Recorded]:
        """Return the ancestors of ``span``, innermost first."""
        found: list[Recorded] = []
        by_id = {s.id: s for s in self.spans}
        while (parent := by_id.get(span.parent)) is not None and parent not in found:
            found.append(parent)
            span = parent
        return found

    def copy(self, span: Recorded, salt: str) -> Recorded:
        """Return a copy of ``span`` with an id of its own; the caller adds it."""
        copied = Span()
        copied.CopyFrom(span.span)
        copied.span_id = hashlib.sha256(copied.span_id + salt.encode()).digest()[:8]
        messages = {k: json.loads(json.dumps(m)) for k, m in span.messages.items()}
        return Recorded(copied, span.place, messages)

    def requests(self) -> list[ExportTraceServiceRequest]:
        """Return the run as one request per trace, in order of their ends."""
        traces: dict[str, list[Recorded]] = {}
        for span in self.spans:
            traces.setdefault(span.trace, []).append(span)
        return [self._request(spans) for spans in traces.values()]

    def _request(self, spans: Sequence[Recorded]) -> ExportTraceServiceRequest:
        request = ExportTraceServiceRequest()
        places: dict[int, ScopeSpans] = {}
        for span in spans:
            for key, messages in span.messages.items():
                if messages:
                    span.put(key, json.dumps(messages, ensure_ascii=False, separators=(",", ":")))
                else:
                    span.drop(key)
            if span.place not in places:
                block = request.resource_spans.add()
                block.CopyFrom(self._blocks[span.place])
                places[span.place] = block.scope_spans[0]
            places[span.place].spans.append(span.span)
        return request


def _items(span: Recorded, keys: Sequence[str]) -> Iterator[tuple[str, str]]:
    for key in keys:
        for message in span.messages.get(key, []):
            for part in message["parts"]:
                if part["type"] == "text" and message["role"] in ("user", "assistant"):
                    yield message["role"], part["content"]
                elif part["type"] == "tool_call":
                    yield "call", part.get("id") or ""


def _is_text(part: Part, text: str) -> bool:
    return bool(part["type"] == "text" and part.get("content") == text)


def split_runs(
    requests: Sequence[ExportTraceServiceRequest],
) -> dict[str, list[ExportTraceServiceRequest]]:
    """Return the requests of each run by its key: spans of one conversation, else of one trace."""
    conversation: dict[bytes, str] = {}
    for _, _, span in _walk(requests):
        for attribute in span.attributes:
            if attribute.key == CONVERSATION:
                conversation[span.trace_id] = attribute.value.string_value
    runs: dict[str, ExportTraceServiceRequest] = {}
    places: dict[tuple[str, bytes], ScopeSpans] = {}
    for block, scope, span in _walk(requests):
        key = conversation.get(span.trace_id, span.trace_id.hex())
        carrier = block.resource.SerializeToString() + scope.scope.SerializeToString()
        if (key, carrier) not in places:
            shell = runs.setdefault(key, ExportTraceServiceRequest()).resource_spans.add(
                resource=block.resource, schema_url=block.schema_url
            )
            places[key, carrier] = shell.scope_spans.add(
                scope=scope.scope, schema_url=scope.schema_url
            )
        places[key, carrier].spans.append(span)
    return {key: [request] for key, request in runs.items()}


def _walk(
    requests: Sequence[ExportTraceServiceRequest],
) -> Iterator[tuple[ResourceSpans, ScopeSpans, Span]]:
    for request in requests:
        for block in request.resource_spans:
            for scope in block.scope_spans:
                for span in scope.spans:
                    yield block, scope, span
