"""A SQL endpoint in a process of its own: chDB opens one data directory per process.

Run by path: ``python sql_endpoint_server.py '{"path": …}'``; prints the port it listens on.
"""

import json
import socket
import sys
from typing import Any, cast

import chdb
import uvicorn

from spanloop.exporter.sql_endpoint import (
    ChdbEngine,
    SqlLimits,
    SqlPolicy,
    create_app,
    token_check,
)
from spanloop.exporter.sql_endpoint.engine import ChdbHandle


def main() -> None:
    options = json.loads(sys.argv[1])

    def open_handle() -> ChdbHandle:
        return cast("ChdbHandle", cast("Any", chdb).connect(options["path"]))

    keeper = open_handle()
    for statement in options.get("setup", []):
        keeper.query(statement)
    policy = SqlPolicy(
        databases=frozenset(options.get("databases", ["default"])),
        write_databases=frozenset(options.get("write_databases", [])),
    )
    tokens = options.get("tokens", [])
    app = create_app(
        ChdbEngine(open_handle),
        policy,
        auth=token_check(tokens) if tokens else None,
        limits=SqlLimits(**options.get("limits", {})),
    )
    listener = socket.create_server(("127.0.0.1", 0))
    sys.stdout.write(f"{listener.getsockname()[1]}\n")
    sys.stdout.flush()
    config = uvicorn.Config(app, log_level="warning", lifespan="on")
    uvicorn.Server(config).run(sockets=[listener])


if __name__ == "__main__":
    main()
