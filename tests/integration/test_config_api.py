"""A real server serves configurations on its OTLP/HTTP port; commands change what it serves."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

import httpx
import yaml

from spanloop.service.admin_calls import call

FIRST = {"components": {"instructions": "Be brief."}, "parameters": {"temperature": 0.0}}
NEXT = {"components": {"instructions": "Be brief. Check first."}, "version": "2"}


def told(server: Any, *arguments: str) -> Any:
    return json.loads(server.run("releases", *arguments, "--json").stdout)


def admin(server: Any, does: str, **arguments: Any) -> Any:
    """Ask the running server as the command does, without a process for it."""
    lock = json.loads((server.directory / "data" / "lock").read_text())
    return call(lock["admin"], "releases", does=does, arguments=arguments)


def test_register_serve_approve_and_roll_back(make_server: Any, tmp_path: Path) -> None:
    token = "a-token-of-the-test"  # not a secret
    server = make_server(receiver={"tokens": [{"token": token}]}).start()
    file = tmp_path / "first.yaml"
    file.write_text(yaml.safe_dump(FIRST))
    url = f"{server.http}/v1/agents/support/config"
    with httpx.Client(headers={"Authorization": f"Bearer {token}"}) as client:
        assert httpx.get(url).status_code == 401
        missing = client.get(url)
        assert (missing.status_code, missing.json()["code"]) == (404, 5)

        first = told(server, "register", "support", str(file), "--reason", "as it runs")
        assert (first["state"], first["number"]) == ("current", 1)
        time.sleep(2.1)  # what was read before may be served for 2 s
        served = client.get(url)
        assert served.json()["current"]["configuration"]["components"] == FIRST["components"]
        known = {"If-None-Match": served.headers["etag"]}
        assert client.get(url, headers=known).status_code == 304

        second = admin(
            server, "register", agent="support", configuration=NEXT, actor="ann", project="default"
        )
        back = admin(
            server, "roll_back", release=second["release"][:10], actor="ann", reason="worse"
        )
        assert back["state"] == "rolled_back"
        time.sleep(2.1)
        assert client.get(url).json()["current"]["release_id"] == first["release"]
        tested = client.get(url, params={"hash": second["hash"]})
        assert tested.json()["configuration"]["version"] == "2"

    listed = admin(server, "list")
    assert [(r["number"], r["state"]) for r in listed] == [(1, "current"), (2, "rolled_back")]
    trail = admin(server, "show", release=second["release"])["events"]
    assert [e["action"] for e in trail] == ["registered", "promoted", "rolled_back"]
    assert trail[-1]["reason"] == "worse"
    refused = server.run("releases", "refuse", first["release"], check=False)
    assert (refused.returncode, "is current; only a proposed one" in refused.stderr) == (2, True)
    assert token not in server.log()
    server.stop()
    assert [r["release"] for r in told(server)] == [first["release"], second["release"]]
    assert "Audit trail" in server.run("releases", "show", second["release"]).stdout


def test_a_file_that_is_no_configuration_is_refused_by_name(
    make_server: Any, tmp_path: Path
) -> None:
    server = make_server()
    file = tmp_path / "wrong.yaml"
    file.write_text("components: {instruction: Be brief.}\ncolour: red\n")
    refused = server.run("releases", "register", "support", str(file), check=False)
    assert refused.returncode == 2
    assert "component name 'instruction' does not match" in refused.stderr
    assert "colour" in refused.stderr
