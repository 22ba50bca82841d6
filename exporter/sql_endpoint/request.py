"""A request as ClickHouse's HTTP interface means it: what is a setting, a parameter, the text."""

from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass

from starlette.requests import Request

from spanloop.exporter.sql_endpoint import blocks, bodies
from spanloop.exporter.sql_endpoint.policy import SqlLimits
from spanloop.processor.errors import InvalidRequest

_PARAM = "param_"
_METHODS = {"LZ4": blocks.LZ4, "ZSTD": blocks.ZSTD, "NONE": blocks.NONE}


@dataclass(frozen=True, slots=True, kw_only=True)
class SqlRequest:
    """One request.

    Attributes:
        query: text from the URL, "" if none; a body that is not data follows it.
        params: query parameters by name, escaped as in TSV.
        settings: every other parameter of the URL, as text.
        database: where tables without a database are looked up, None for the default.
        format: format asked for by header or ``default_format``, None if neither.
        steps: how to wrap the answer.
        encoding: value of the answer's Content-Encoding, "" for none.
        revision: revision of the Native protocol that the client speaks.
        reads_only: GET, which may never write.
    """

    query: str
    params: Mapping[str, str]
    settings: Mapping[str, str]
    database: str | None
    format: str | None
    steps: list[bodies.Codec]
    encoding: str
    revision: int
    reads_only: bool


def parse_request(request: Request) -> SqlRequest:
    """Read URL and headers; the body is left alone."""
    url = request.query_params
    settings = dict(url.items())
    params = {
        name.removeprefix(_PARAM): settings.pop(name)
        for name in list(settings)
        if name.startswith(_PARAM)
    }
    headers = request.headers
    encoding = ""
    if _flag(settings, "enable_http_compression"):
        encoding = bodies.pick_encoding(headers.get("accept-encoding", ""))
    steps: list[bodies.Codec] = []
    if _flag(settings, "compress"):
        method = settings.get("network_compression_method", "LZ4").upper()
        steps.append(bodies.Blocks(_METHODS.get(method, blocks.LZ4)))
    steps += bodies.encoder(encoding)
    return SqlRequest(
        query=settings.get("query", ""),
        params=params,
        settings=settings,
        database=settings.get("database") or headers.get("x-clickhouse-database"),
        format=headers.get("x-clickhouse-format") or settings.get("default_format"),
        steps=steps,
        encoding=encoding,
        revision=_revision(settings.get("client_protocol_version", "0")),
        reads_only=request.method == "GET",
    )


def unwrapped_body(request: Request, limits: SqlLimits) -> AsyncIterator[bytes]:
    """The body without its encodings, piece by piece, capped."""
    content_type = request.headers.get("content-type", "")
    if content_type.startswith("multipart/form-data"):
        raise InvalidRequest("External tables are not taken; join with a subquery")
    steps = bodies.decoders(
        request.headers.get("content-encoding", ""),
        decompress=_flag(request.query_params, "decompress"),
        limit=limits.max_insert_bytes,
    )
    return bodies.unwrapped(request.stream(), steps)


async def take(stream: AsyncIterator[bytes], at_least: int) -> bytes:
    """Pieces until there are so many bytes or no more."""
    out = bytearray()
    async for piece in stream:
        out += piece
        if len(out) >= at_least:
            break
    return bytes(out)


def _flag(settings: Mapping[str, str], name: str) -> bool:
    return settings.get(name, "0").lower() in ("1", "true")


def _revision(value: str) -> int:
    return int(value) if value.isdecimal() and len(value) < 9 else 0
