"""Writes the dashboards' JSON into ``grafana/dashboards``: ``python -m spanloop.dashboards.build``."""

import json
from importlib.resources import as_file, files
from pathlib import Path

from spanloop.dashboards import cost, experiments, ingest, learning, patterns, satisfaction, trace
from spanloop.dashboards.panels import board_json

BOARDS = (
    ingest.BOARD,
    satisfaction.BOARD,
    patterns.BOARD,
    experiments.BOARD,
    learning.BOARD,
    cost.BOARD,
    trace.BOARD,
)


def rendered() -> dict[str, str]:
    """Return the text of every dashboard, by file name."""
    return {
        f"{board.uid}.json": json.dumps(board_json(board), indent=2, ensure_ascii=False) + "\n"
        for board in BOARDS
    }


def main() -> None:
    """Write every dashboard where the package has them."""
    with as_file(files("spanloop.dashboards") / "grafana" / "dashboards") as folder:
        folder.mkdir(parents=True, exist_ok=True)
        for name, text in rendered().items():
            Path(folder, name).write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
