"""Binds a port of a gRPC server."""

import grpc
import grpc.aio

from spanloop.processor.errors import PermanentError


def bind(
    server: grpc.aio.Server,
    host: str,
    port: int,
    *,
    tls: grpc.ServerCredentials | None,
    setting: str,
) -> int:
    """Add a port to ``server`` and return its number, useful where 0 was asked for.

    Args:
        server: not started.
        host: to listen on.
        port: 0 takes a free one.
        tls: None = plain.
        setting: section of the configuration that an error names.

    Raises:
        PermanentError: the address cannot be bound.
    """
    address = f"{host}:{port}"
    try:
        return server.add_secure_port(address, tls) if tls else server.add_insecure_port(address)
    except RuntimeError as failure:
        raise PermanentError(
            f"cannot listen on {address} ({setting}): is another process using it?"
        ) from failure
