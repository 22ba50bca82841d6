"""TLS, mTLS and bearer tokens on every port, with the SDK's own exporters as clients."""

from __future__ import annotations

import random
import ssl
from pathlib import Path
from typing import Any

import clickhouse_connect
import grpc
import httpx
import pytest
import trustme
from clickhouse_connect.driver.exceptions import ClickHouseError
from opentelemetry.exporter.otlp.proto.grpc.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor

from tests.integration.test_receive_and_store import export_on, request_of

TOKEN = "a-token-of-the-test"  # not a secret
PROTOBUF = {"Content-Type": "application/x-protobuf"}


@pytest.fixture
def authority(tmp_path: Path) -> trustme.CA:
    return trustme.CA()


@pytest.fixture
def tls(authority: trustme.CA, tmp_path: Path) -> dict[str, str]:
    """Write what the server needs; ``client_ca`` turns on mTLS."""
    issued = authority.issue_cert("localhost", "127.0.0.1")
    files = {name: tmp_path / f"{name}.pem" for name in ("certificate", "key", "client_ca")}
    issued.cert_chain_pems[0].write_to_path(files["certificate"])
    issued.private_key_pem.write_to_path(files["key"])
    authority.cert_pem.write_to_path(files["client_ca"])
    return {name: str(path) for name, path in files.items()}


def body(seed: int) -> bytes:
    return request_of(3, random.Random(seed)).SerializeToString()


def test_tls_on_every_port(make_server: Any, authority: trustme.CA, tls: dict[str, str]) -> None:
    del tls["client_ca"]
    server = make_server(receiver={"tls": tls}).start()
    root = authority.cert_pem.bytes()
    provider = TracerProvider()
    credentials = grpc.ssl_channel_credentials(root)
    exporter = OTLPSpanExporter(endpoint=f"https://{server.grpc}", credentials=credentials)
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    provider.get_tracer("t").start_span("over TLS").end()
    provider.shutdown()
    context = ssl.create_default_context(cadata=root.decode())
    with httpx.Client(verify=context) as client:
        assert client.post(f"{server.http}/v1/traces", content=body(1), headers=PROTOBUF).is_success
        assert client.get(f"{server.http}/healthz").text == "ok\n"
        assert client.get(f"{server.sql}/ping").is_success
    with pytest.raises(httpx.TransportError):
        httpx.post(server.http.replace("https", "http") + "/v1/traces", content=body(2))
    server.stop()
    assert server.query("SELECT count() AS n FROM otel_traces") == [{"n": 4}]


def test_mutual_tls_refuses_clients_without_a_certificate(
    make_server: Any, authority: trustme.CA, tls: dict[str, str]
) -> None:
    server = make_server(receiver={"tls": tls}, sql={"enabled": False}).start()
    root = authority.cert_pem.bytes()
    client = authority.issue_cert("client@example.test")
    key, chain = client.private_key_pem.bytes(), client.cert_chain_pems[0].bytes()
    with grpc.secure_channel(server.grpc, grpc.ssl_channel_credentials(root)) as stranger:
        with pytest.raises(grpc.RpcError) as refused:
            export_on(stranger)(body(3), timeout=5)
        assert refused.value.code() is grpc.StatusCode.UNAVAILABLE
    with grpc.secure_channel(server.grpc, grpc.ssl_channel_credentials(root, key, chain)) as known:
        export_on(known)(body(4), timeout=10)
    context = ssl.create_default_context(cadata=root.decode())
    with httpx.Client(verify=context) as http, pytest.raises(httpx.TransportError):
        http.post(f"{server.http}/v1/traces", content=body(5), headers=PROTOBUF)
    client.configure_cert(context)
    with httpx.Client(verify=context) as http:
        assert http.post(f"{server.http}/v1/traces", content=body(6), headers=PROTOBUF).is_success
    server.stop()
    assert server.query("SELECT count() AS n FROM otel_traces") == [{"n": 6}]


def test_bearer_tokens_guard_every_port_and_name_the_project(make_server: Any) -> None:
    tokens = [{"token": TOKEN, "project": "shop"}]
    server = make_server(
        project="shop", receiver={"tokens": tokens}, sql={"tokens": tokens}
    ).start()
    bearer = {"Authorization": f"Bearer {TOKEN}"}
    for headers in ({}, {"Authorization": "Bearer wrong"}, {"Authorization": TOKEN}):
        url = f"{server.http}/v1/traces"
        reply = httpx.post(url, content=body(7), headers={**PROTOBUF, **headers})
        assert reply.status_code == 401
        with grpc.insecure_channel(server.grpc) as channel:
            metadata = tuple((name.lower(), value) for name, value in headers.items())
            with pytest.raises(grpc.RpcError) as refused:
                export_on(channel)(body(7), timeout=5, metadata=metadata)
            assert refused.value.code() is grpc.StatusCode.UNAUTHENTICATED
        assert (
            httpx.get(f"{server.sql}/", params={"query": "SELECT 1"}, headers=headers).status_code
            >= 400
        )
    assert httpx.post(
        f"{server.http}/v1/traces", content=body(8), headers={**PROTOBUF, **bearer}
    ).is_success
    host, _, port = server.sql.partition("://")[2].rpartition(":")
    with pytest.raises(ClickHouseError):
        clickhouse_connect.get_client(host=host, port=int(port), password="wrong")
    server.wait_until("SELECT count() AS n FROM otel_traces", 3)
    assert server.query("SELECT DISTINCT Project FROM otel_traces") == [{"Project": "shop"}]
    assert TOKEN not in server.log()


def test_a_second_project_on_an_embedded_store_is_refused(make_server: Any) -> None:
    tokens = [{"token": TOKEN, "project": "another"}]
    server = make_server(receiver={"tokens": tokens})
    done = server.run("serve", check=False)
    assert done.returncode == 2
    assert "one project per data_dir" in done.stderr
    assert TOKEN not in done.stderr
