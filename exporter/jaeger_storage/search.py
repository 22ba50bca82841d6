"""What Jaeger asks for, checked, and the statement that finds it. Pure.

An attribute is looked for where Jaeger's own stores look: in the attributes of the span, its resource, its
scope and its events; one span must have all of a search. A few names stand for columns, as in its pages.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from spanloop.exporter.jaeger_storage.statements import Array
from spanloop.processor.errors import InvalidRequest

MOST_TRACES = 1_500
"""The most that Jaeger's page asks for."""
DEFAULT_TRACES = 20
MOST_ATTRIBUTES = 32
FIRST_WINDOW_NS = 600 * 10**9
WINDOW_GROWTH = 12
WINDOWS = 5
"""Ten minutes, two hours, a day, twelve days, the rest: each costs some 15 ms, whatever it finds."""
_KINDS = ("Internal", "Server", "Client", "Producer", "Consumer")
_COLUMNS: Mapping[str, str] = {
    "otel.scope.name": "ScopeName",
    "otel.scope.version": "ScopeVersion",
    "otel.status_description": "StatusMessage",
    "w3c.tracestate": "TraceState",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Search:
    """A search for traces: nanoseconds, times since 1970; None and ``''`` for any."""

    service: str = ""
    operation: str = ""
    attributes: Sequence[tuple[str, str]] = ()
    start_ns: int = 0
    end_ns: int | None = None
    shortest_ns: int | None = None
    longest_ns: int | None = None
    most: int = DEFAULT_TRACES


def read_search(query: Any, *, pages: bool) -> Search:
    """Return what a ``TraceQueryParameters`` asks; ``pages`` says whether the method knows them.

    Raises:
        InvalidRequest: it asks what `GetCapabilities` does not offer, or contradicts itself.
    """
    if query.HasField("filter"):
        raise InvalidRequest("structured filters are not served")
    if len(query.attributes) > MOST_ATTRIBUTES:
        raise InvalidRequest(f"a search has at most {MOST_ATTRIBUTES} attributes")
    end_ns = nanoseconds(query, "start_time_max")
    search = Search(
        service=query.service_name,
        operation=query.operation_name,
        attributes=tuple((one.key, _text(one.key, one.value)) for one in query.attributes),
        start_ns=nanoseconds(query, "start_time_min") or 0,
        end_ns=end_ns,
        shortest_ns=nanoseconds(query, "duration_min"),
        longest_ns=nanoseconds(query, "duration_max"),
        most=min(_most(query, pages=pages), MOST_TRACES),
    )
    if end_ns is not None and end_ns < search.start_ns:
        raise InvalidRequest("a search ends before it starts")
    return search


def nanoseconds(message: Any, name: str) -> int | None:
    """Return a time or duration of ``message``; None where it is not set or is Go's zero time."""
    if not message.HasField(name):
        return None
    value = getattr(message, name)
    total = int(value.seconds) * 10**9 + int(value.nanos)
    return min(total, 2**63 - 2) if total > 0 else None


def windows(start_ns: int, end_ns: int) -> Iterator[tuple[int, int]]:
    """Yield [start, end) from the newest on, each much wider than the one before.

    Many spans match a common value, and the newest are wanted: the first windows answer without reading the
    rest. A rare value is looked up by indexes, which are quick over a wide window.
    """
    end, width = end_ns + 1, FIRST_WINDOW_NS
    for number in range(1, WINDOWS + 1):
        start = start_ns if number == WINDOWS else max(start_ns, end - width)
        yield start, end
        if start == start_ns:
            return
        end, width = start, width * WINDOW_GROWTH


def conditions(search: Search) -> tuple[Sequence[Sequence[str]], Mapping[str, str | Array]]:
    """Return lists of SQL conditions, of which one must hold as a whole, and their parameters.

    The attributes of spans and resources have indexes, those of events and scopes have none: asked for in one
    breath, none could be used. So the first list wants every attribute in indexed places; the second wants at
    least one in the others, whose columns are small, and reads the large ones only where it found one.
    """
    plain, parameters = _plain(search)
    indexed, anywhere, elsewhere = list[str](), list[str](), list[str]()
    for number, (key, value) in enumerate(search.attributes):
        column = _column(number, key, value)
        if column is not None:
            plain.append(column)
            parameters[f"value_{number}"] = value
            continue
        parameters |= {f"key_{number}": key, f"value_{number}": value}
        first = _in_map("SpanAttributes", number, value)
        indexed.append(f"({first} OR {_in_map('ResourceAttributes', number, value)})")
        other = (
            f"{_in_map('ScopeAttributes', number, value)} "
            f"OR arrayExists(a -> {_in_map('a', number, value)}, `Events.Attributes`)"
        )
        elsewhere.append(other)
        anywhere.append(f"({indexed[-1]} OR {other})")
    if not indexed:
        return [plain], parameters
    somewhere = f"({' OR '.join(elsewhere)})"
    others = anywhere if len(anywhere) > 1 else []
    return [[*plain, *indexed], [*plain, somewhere, *others]], parameters


def _plain(search: Search) -> tuple[list[str], dict[str, str | Array]]:
    given = {
        "service": ("ServiceName = {service:String}", search.service),
        "operation": ("SpanName = {operation:String}", search.operation),
        "shortest": ("Duration >= {shortest:UInt64}", search.shortest_ns),
        "longest": ("Duration <= {longest:UInt64}", search.longest_ns),
    }
    wanted = {name: pair for name, pair in given.items() if pair[1]}
    parameters: dict[str, str | Array] = {name: str(value) for name, (_, value) in wanted.items()}
    return [condition for condition, _ in wanted.values()], parameters


def _in_map(column: str, number: int, value: str) -> str:
    condition = f"{column}[{{key_{number}:String}}] = {{value_{number}:String}}"
    # A map answers '' for a key that it does not have.
    return (
        condition if value else f"(mapContains({column}, {{key_{number}:String}}) AND {condition})"
    )


def _column(number: int, key: str, value: str) -> str | None:
    """Return the condition for a name that stands for a column, None for the name of an attribute."""
    if key in _COLUMNS:
        return f"{_COLUMNS[key]} = {{value_{number}:String}}"
    match key, value.lower():
        case "error", "true":
            return "StatusCode = 'Error'"
        case "error", "false":
            return "StatusCode != 'Error'"
        case "otel.status_code" | "span.status", ("ok" | "error" | "unset") as code:
            return f"StatusCode = '{code.capitalize()}'"
        case "span.kind", kind if kind.capitalize() in _KINDS:
            return f"SpanKind = '{kind.capitalize()}'"
        case _:
            return None


def _most(query: Any, *, pages: bool) -> int:
    if not query.HasField("pagination"):
        return int(query.search_depth) if query.search_depth > 0 else DEFAULT_TRACES
    page = query.pagination
    if not pages or page.page_token or query.search_depth or not page.page_size:
        raise InvalidRequest(
            "a page needs a size, no token and no search_depth, and not FindTraces"
        )
    return int(page.page_size)


def _text(key: str, value: Any) -> str:
    """Return a value as `otel_traces` has it."""
    match value.WhichOneof("value"):
        case "string_value":
            return str(value.string_value)
        case "bool_value":
            return "true" if value.bool_value else "false"
        case "int_value":
            return str(value.int_value)
        case _:
            raise InvalidRequest(
                f"attribute {key[:100]!r}: search for text, a whole number or a boolean"
            )
