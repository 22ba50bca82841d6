"""Spans and log events over real ports: gRPC and HTTP, with TLS, our own certificate and headers."""

from __future__ import annotations

import ssl
import threading
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import grpc
import pytest
import trustme
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import (
    ExportLogsServiceRequest,
    ExportLogsServiceResponse,
)
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTraceServiceRequest,
    ExportTraceServiceResponse,
)
from opentelemetry.sdk._logs import ReadableLogRecord

from spanloop.exporter.otlp_sender import Destination, OtlpSender
from spanloop.optimizer.annotations.spans import Issue, log_of, span_of
from spanloop.processor.errors import ConfigError
from tests.support.annotations import note

TRACES = "/opentelemetry.proto.collector.trace.v1.TraceService/Export"
LOGS = "/opentelemetry.proto.collector.logs.v1.LogsService/Export"


class Endpoint(grpc.GenericRpcHandler):  # type: ignore[type-arg]  # generic in its stubs only
    """Keeps what arrives; answers each request with the next of ``answers``, then with OK."""

    def __init__(self, answers: Sequence[grpc.StatusCode] = ()) -> None:
        self.answers = list(answers)
        self.spans: list[str] = []
        self.logs: list[str] = []
        self.seen: list[tuple[str, dict[str, Any]]] = []

    def service(self, details: grpc.HandlerCallDetails) -> Any:
        if details.method == TRACES:
            return grpc.unary_unary_rpc_method_handler(
                self._spans,
                ExportTraceServiceRequest.FromString,
                ExportTraceServiceResponse.SerializeToString,
            )
        if details.method == LOGS:
            return grpc.unary_unary_rpc_method_handler(
                self._logs,
                ExportLogsServiceRequest.FromString,
                ExportLogsServiceResponse.SerializeToString,
            )
        return None

    def take(self, path: str, headers: dict[str, Any], body: bytes) -> None:
        self.seen.append((path, headers))
        if path.endswith("traces"):
            self.spans += names(ExportTraceServiceRequest.FromString(body))
        else:
            self.logs += events(ExportLogsServiceRequest.FromString(body))

    def _spans(self, request: Any, context: grpc.ServicerContext) -> ExportTraceServiceResponse:
        self.seen.append((TRACES, dict(context.invocation_metadata())))
        answer = self.answers.pop(0) if self.answers else grpc.StatusCode.OK
        if answer is not grpc.StatusCode.OK:
            context.abort(answer, "no")
        self.spans += names(request)
        return ExportTraceServiceResponse()

    def _logs(self, request: Any, context: grpc.ServicerContext) -> ExportLogsServiceResponse:
        self.logs += events(request)
        return ExportLogsServiceResponse()


def names(request: ExportTraceServiceRequest) -> list[str]:
    return [s.name for r in request.resource_spans for g in r.scope_spans for s in g.spans]


def events(request: ExportLogsServiceRequest) -> list[str]:
    return [
        r.event_name for g in request.resource_logs for s in g.scope_logs for r in s.log_records
    ]


@contextmanager
def over_grpc(
    endpoint: Endpoint, credentials: grpc.ServerCredentials | None = None
) -> Iterator[int]:
    server = grpc.server(ThreadPoolExecutor(2), handlers=[endpoint])
    address = "127.0.0.1:0"
    port = (
        server.add_secure_port(address, credentials)
        if credentials
        else server.add_insecure_port(address)
    )
    server.start()
    try:
        yield port
    finally:
        server.stop(None).wait()


@contextmanager
def over_http(endpoint: Endpoint, context: ssl.SSLContext | None = None) -> Iterator[int]:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            endpoint.take(self.path, dict(self.headers), body)
            self.send_response(200)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, format: str, *args: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    if context is not None:
        server.socket = context.wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield server.server_address[1]
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@contextmanager
def sender(**destination: Any) -> Iterator[OtlpSender]:
    opened = OtlpSender(Destination(**destination))
    try:
        yield opened
    finally:
        opened.close()
        opened.close()


def issues(n: int) -> list[Issue]:
    return [Issue(note=note(identifier=f"p{i}"), version=1, found_ms=1) for i in range(n)]


def logs(n: int) -> list[ReadableLogRecord]:
    records = (log_of(issue) for issue in issues(n))
    return [record for record in records if record is not None]


@pytest.fixture(scope="module")
def pki(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Write a certificate authority, and certificates of a server and a client."""
    folder = tmp_path_factory.mktemp("pki")
    authority = trustme.CA()
    authority.cert_pem.write_to_path(str(folder / "ca.pem"))
    for name, identity in (("server", "127.0.0.1"), ("client", "spanloop")):
        issued = authority.issue_cert(identity)
        issued.private_key_pem.write_to_path(str(folder / f"{name}.key"))
        issued.cert_chain_pems[0].write_to_path(str(folder / f"{name}.pem"))
    return folder


def test_grpc_takes_spans_log_events_and_headers() -> None:
    endpoint = Endpoint()
    with (
        over_grpc(endpoint) as port,
        sender(endpoint=f"127.0.0.1:{port}", headers={"Authorization": "Bearer t"}) as opened,
    ):
        assert opened.send_spans([span_of(issue) for issue in issues(250)]) == 250
        assert opened.send_logs(logs(3)) == 3
    assert endpoint.spans == ["pattern context_gap"] * 250
    assert endpoint.logs == ["gen_ai.evaluation.result"] * 3
    assert len(endpoint.seen) == 3  # requests of at most a hundred
    assert all(metadata["authorization"] == "Bearer t" for _, metadata in endpoint.seen)


def test_what_is_refused_ends_the_sending_and_is_not_counted() -> None:
    endpoint = Endpoint([grpc.StatusCode.OK, grpc.StatusCode.INVALID_ARGUMENT])
    with over_grpc(endpoint) as port, sender(endpoint=f"127.0.0.1:{port}") as opened:
        assert opened.send_spans([span_of(issue) for issue in issues(250)]) == 100
    assert len(endpoint.seen) == 2


def test_an_endpoint_that_is_away_for_a_moment_is_tried_again() -> None:
    endpoint = Endpoint([grpc.StatusCode.UNAVAILABLE])
    with over_grpc(endpoint) as port, sender(endpoint=f"127.0.0.1:{port}") as opened:
        assert opened.send_spans([span_of(issue) for issue in issues(1)]) == 1
    assert endpoint.spans == ["pattern context_gap"]


def test_nobody_there_is_no_acknowledgement() -> None:
    with sender(endpoint="127.0.0.1:9", timeout_s=0.5) as opened:
        assert opened.send_spans([span_of(issue) for issue in issues(1)]) == 0


def test_grpc_with_tls_and_our_own_certificate(pki: Path) -> None:
    endpoint = Endpoint()
    credentials = grpc.ssl_server_credentials(
        [((pki / "server.key").read_bytes(), (pki / "server.pem").read_bytes())],
        (pki / "ca.pem").read_bytes(),
        require_client_auth=True,
    )
    own = {"certificate": pki / "client.pem", "key": pki / "client.key"}
    with over_grpc(endpoint, credentials) as port:
        address = f"127.0.0.1:{port}"
        with sender(endpoint=address, ca=pki / "ca.pem", **own) as opened:
            assert opened.send_spans([span_of(issue) for issue in issues(1)]) == 1
        with sender(
            endpoint=f"https://{address}", ca=pki / "ca.pem", timeout_s=0.5
        ) as without_certificate:
            assert without_certificate.send_spans([span_of(issue) for issue in issues(1)]) == 0


def tls_of(pki: Path) -> ssl.SSLContext:
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH, cafile=str(pki / "ca.pem"))
    context.load_cert_chain(pki / "server.pem", pki / "server.key")
    context.verify_mode = ssl.CERT_REQUIRED
    return context


@pytest.mark.parametrize("secure", [False, True])
def test_http_takes_spans_log_events_and_headers(pki: Path, secure: bool) -> None:
    endpoint = Endpoint()
    own: dict[str, Path] = (
        {"ca": pki / "ca.pem", "certificate": pki / "client.pem", "key": pki / "client.key"}
        if secure
        else {}
    )
    with over_http(endpoint, tls_of(pki) if secure else None) as port:
        address = f"{'https' if secure else 'http'}://127.0.0.1:{port}"
        with sender(
            endpoint=f"{address}/", protocol="http", headers={"x-scope": "me"}, **own
        ) as opened:
            assert opened.send_spans([span_of(issue) for issue in issues(2)]) == 2
            assert opened.send_logs(logs(1)) == 1
    assert [path for path, _ in endpoint.seen] == ["/v1/traces", "/v1/logs"]
    assert all(headers["x-scope"] == "me" for _, headers in endpoint.seen)
    assert (len(endpoint.spans), len(endpoint.logs)) == (2, 1)


def test_a_certificate_that_cannot_be_read_is_said_at_once(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="cannot read"):
        OtlpSender(Destination(endpoint="https://jaeger:4317", ca=tmp_path / "absent.pem"))
