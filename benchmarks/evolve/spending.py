"""What a shipped improvement costs by stage, read from a store in which cycles ran."""

from typing import Any

from clickhouse_connect.driver.client import Client

from spanloop.exporter.render import Renderer


def cost_by_stage(client: Client, renderer: Renderer) -> dict[str, Any]:
    """Return tokens and money by stage, in all and per shipped improvement; None where nothing shipped.

    An improvement is a locked test whose candidate shipped, of one edit or of several. Leases that were
    forfeited count as spent in full, as the ledger does. Money is None where a price is unknown.

    Args:
        client: of the store.
        renderer: of its tables.
    """
    ledger = renderer.table("budget_ledger")
    experiments, candidates = renderer.table("experiments"), renderer.table("candidates")
    spent = client.query(
        "SELECT Stage, Role, sum(Tokens), if(countIf(isNull(CostUsd)) > 0, NULL, sum(CostUsd)), count() "  # noqa: S608  # table names only
        f"FROM {ledger} FINAL GROUP BY Stage, Role ORDER BY Stage, Role"
    ).result_rows
    counted = client.query(
        "SELECT countIf(CandidateId IN (SELECT CandidateId "  # noqa: S608  # table names only
        f"FROM {candidates} FINAL WHERE State = 'shipped')), count() "
        f"FROM {experiments} FINAL WHERE Purpose = 'gate' AND State = 'decided'"
    ).result_rows[0]
    shipped, tried = int(counted[0]), int(counted[1])
    return {
        "decided": tried,
        "shipped": shipped,
        "stages": [
            {
                "stage": stage,
                "role": role,
                "leases": int(leases),
                "tokens": int(tokens),
                "usd": usd,
                "tokens_a_shipped": int(tokens) / shipped if shipped else None,
                "usd_a_shipped": usd / shipped if shipped and usd is not None else None,
            }
            for stage, role, tokens, usd, leases in spent
        ],
    }
