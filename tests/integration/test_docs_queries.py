"""Every SQL fence of the documentation runs on a real server that holds real traces.

A fence marked ``sql rows`` must find something in them; others may find nothing.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import clickhouse_connect
import pytest
from clickhouse_connect.driver.client import Client

from tests.conftest import REPOSITORY, ServerProcess

PAGES = [REPOSITORY / "README.md", *sorted((REPOSITORY / "docs").rglob("*.md"))]
FENCE = re.compile(r"^```sql(?P<mark> rows)?\n(?P<sql>.+?)^```$", re.MULTILINE | re.DOTALL)
FENCES = [
    pytest.param(match["sql"], bool(match["mark"]), id=f"{page.relative_to(REPOSITORY)}-{number}")
    for page in PAGES
    for number, match in enumerate(FENCE.finditer(page.read_text(encoding="utf-8")), start=1)
]


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory, data_dir: Path) -> Iterator[Client]:
    started = ServerProcess(tmp_path_factory.mktemp("docs"), {}, {}).start()
    recorded = data_dir / "agentrx_tau_retail" / "dev.otlp.gz"
    started.run_plain("replay", "--endpoint", started.grpc, str(recorded))
    started.wait_until("SELECT count() FROM genai_spans", 1394)
    started.run("analyze")
    endpoint = urlsplit(started.sql)
    assert endpoint.hostname is not None
    connected = clickhouse_connect.get_client(
        host=endpoint.hostname, port=endpoint.port or 0, autogenerate_session_id=False
    )
    yield connected
    connected.close()
    started.close()


@pytest.mark.parametrize(("sql", "must_find"), FENCES)
def test_a_documented_query_runs(client: Client, sql: str, must_find: bool) -> None:
    rows = client.query(sql).result_rows
    if must_find:
        assert rows


def test_the_pages_have_queries() -> None:
    assert len(FENCES) > 12
