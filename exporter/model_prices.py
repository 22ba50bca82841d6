"""Keep the table of model prices current, which the view of ``genai_spans`` looks up."""

import hashlib
from collections.abc import Sequence

from clickhouse_connect.driver.client import Client

from spanloop.exporter.migrate import LEDGER, applied_digests
from spanloop.exporter.render import Renderer
from spanloop.processor.prices import PriceRow

TABLE = "model_prices"
LEDGER_ENTRY = "model_prices (content)"


def load_model_prices(client: Client, renderer: Renderer, rows: Sequence[PriceRow]) -> bool:
    """Replace the prices if they changed; return whether they did.

    The table is emptied first, since a price that is gone must be unknown again. Spans inserted in that
    moment by another receiver have an unknown cost rather than a stale one.
    """
    database = renderer.settings.database
    digest = hashlib.sha256(repr(list(rows)).encode()).hexdigest()[:32]
    known = applied_digests(client, database).get(LEDGER_ENTRY) == digest
    if known and _is_filled(
        client, renderer
    ):  # the ledger may be replicated; a Join table never is
        return False
    client.command(f"TRUNCATE TABLE {renderer.table(TABLE)}")
    client.insert(
        TABLE,
        [[row.key, list(row.usd), row.origin] for row in rows],
        column_names=["Key", "Usd", "Origin"],
        database=database,
    )
    client.insert(
        LEDGER, [[LEDGER_ENTRY, digest]], column_names=["Path", "Digest"], database=database
    )
    return True


def _is_filled(client: Client, renderer: Renderer) -> bool:
    counted = client.query(f"SELECT count() FROM {renderer.table(TABLE)}")  # noqa: S608  # a name only
    return bool(counted.result_rows[0][0])
