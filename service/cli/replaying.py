"""``spanloop replay``."""

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import (
    BarColumn,
    DownloadColumn,
    Progress,
    TaskProgressColumn,
    TextColumn,
    TimeRemainingColumn,
)

from spanloop.processor.errors import ConfigError, SpanloopError
from spanloop.receiver.otlp_messages import SIGNALS, Signal
from spanloop.service.cli.options import JsonOption, print_facts
from spanloop.service.replay import (
    OtlpProtocol,
    Request,
    Sender,
    Totals,
    make_sender,
    read_requests,
    replay,
)

PROTOCOLS: tuple[OtlpProtocol, ...] = ("grpc", "http/protobuf", "http/json")
DEFAULT_ENDPOINTS = {"grpc": "localhost:4317"}


def register(app: typer.Typer) -> None:
    """Add the command to ``app``."""
    app.command("replay")(replay_command)


def replay_command(
    files: Annotated[
        list[Path], typer.Argument(help="*.otlp[.gz] or OTLP/JSON lines.", exists=True)
    ],
    endpoint: Annotated[str | None, typer.Option(help="Default: localhost:4317 or :4318.")] = None,
    protocol: Annotated[str, typer.Option(help="grpc, http/protobuf or http/json.")] = "grpc",
    signal: Annotated[str, typer.Option(help="Signal of *.otlp files.")] = "traces",
    rate: Annotated[float | None, typer.Option(help="At most this many items a second.")] = None,
    in_flight: Annotated[int, typer.Option(min=1, help="Requests under way at once.")] = 4,
    header: Annotated[list[str] | None, typer.Option(help="name=value, repeatable.")] = None,
    as_json: JsonOption = False,
) -> None:
    """Send recorded OTLP files to any OTLP endpoint."""
    if protocol not in PROTOCOLS:
        raise ConfigError(f"--protocol {protocol!r} is none of {', '.join(PROTOCOLS)}")
    if signal not in SIGNALS:
        raise ConfigError(f"--signal {signal!r} is none of {', '.join(SIGNALS)}")
    target = endpoint or DEFAULT_ENDPOINTS.get(protocol, "http://localhost:4318")
    sender = make_sender(protocol, target, _headers(header or []))
    try:
        with _progress(quiet=as_json) as progress:
            totals = [
                _replay_file(path, sender, progress, signal, rate, in_flight) for path in files
            ]
    finally:
        sender.close()
    _report(totals, as_json=as_json)


def _replay_file(
    path: Path,
    sender: Sender,
    progress: Progress,
    signal: Signal,
    rate: float | None,
    in_flight: int,
) -> Totals:
    task = progress.add_task(path.name, total=None)

    def on_sent(request: Request) -> None:
        progress.update(task, advance=len(request.body))

    totals = replay(
        read_requests(path, signal), sender, items_per_s=rate, in_flight=in_flight, on_sent=on_sent
    )
    progress.update(task, total=totals.n_bytes, completed=totals.n_bytes)
    return totals


def _report(totals: list[Totals], *, as_json: bool) -> None:
    messages = sorted({m for t in totals for m in t.messages})
    print_facts(
        {
            "requests": sum(t.requests for t in totals),
            "items": sum(t.items for t in totals),
            "rejected": sum(t.rejected for t in totals),
            "retries": sum(t.retries for t in totals),
            "bytes": sum(t.n_bytes for t in totals),
            **({"messages": messages} if messages else {}),
        },
        as_json=as_json,
    )


def _headers(given: list[str]) -> dict[str, str]:
    headers: dict[str, str] = {}
    for item in given:
        name, separator, value = item.partition("=")
        if not separator:
            raise SpanloopError(f"--header {item.partition(' ')[0]!r} must be name=value")
        headers[name] = value
    return headers


def _progress(*, quiet: bool) -> Progress:
    console = Console(stderr=True)
    return Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        DownloadColumn(),
        TaskProgressColumn(),
        TimeRemainingColumn(),
        console=console,
        disable=quiet or not console.is_terminal,
    )
