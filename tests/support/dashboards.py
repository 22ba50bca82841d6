"""A store in which every dashboard has something to show: recorded runs, a desk, and a cycle."""

from pathlib import Path

from spanloop.optimizer.analysis import run_analysis
from spanloop.optimizer.replay.episode import EpisodeRequest
from tests.support.analysis import LATER_MS, AnalysisStore, open_analysis_store
from tests.support.cycles import KnownEngine, KnownPlayers, cycle, open_shop
from tests.support.desk import conversation
from tests.support.experiments import chance

DESK = {
    "gen_ai.provider.name": "openai",
    "gen_ai.request.model": "gpt-4o",
    "gen_ai.usage.input_tokens": "1200",
    "gen_ai.usage.cache_read.input_tokens": "800",
    "gen_ai.usage.output_tokens": "90",
}
HOUR_S = 3_600
PATTERN = "p" * 32
HELPFUL = "Check twice."
LABELLED = "read by a person"
"""Explanation of a judgement that names a conversation and no trace."""


def make_store(path: Path, recorded: Path) -> None:
    """Fill a new embedded store at ``path``, and close it: another process may then own it."""
    store = _improved_shop(path)
    store.insert_protobuf(recorded)
    _serve_desk(store)
    run_analysis(store.context(LATER_MS))
    _label(store)
    store.client.close()


def make_empty_store(path: Path) -> None:
    """Make a store as it is before the first span."""
    open_analysis_store(path).client.close()


def _improved_shop(path: Path) -> AnalysisStore:
    """A shop on which a cycle has worked: scenarios, an experiment, a proposed release, a strategy."""
    tested = {f"test-{n}": ("test", PATTERN) for n in range(60)}
    open_ones = {f"train-{n}": ("train", PATTERN) for n in range(12)}
    store = open_shop(path, {PATTERN: "verification"}, tested | open_ones)  # type: ignore[arg-type]

    def truth(request: EpisodeRequest) -> bool:
        helped = HELPFUL in request.configuration.system_prompt()
        return chance(request.run_id) < (0.95 if helped else 0.1)

    cycle(store, KnownPlayers(truth), KnownEngine({PATTERN: [("verification", HELPFUL)]}))
    return store


def _serve_desk(store: AnalysisStore) -> None:
    """Two releases, rated by their users, with prices."""
    for number in range(40):
        failed = number % 3 == 0
        rated = {"user_feedback": "thumbs_down" if failed else "thumbs_up"}
        extra = DESK | rated | {"spanloop.release.id": f"desk-{number % 2}"}
        spans = conversation(
            number, "the booking", failed=failed, at_s=number * HOUR_S, extra=extra
        )
        store.insert_spans(spans, batch_id=f"desk {number}")


def _label(store: AnalysisStore) -> None:
    """A person's judgement of a conversation, which names none of its traces."""
    (judged,) = store.rows(
        "SELECT Project, ConversationId FROM trajectories FINAL WHERE ConversationId != '' "
        "ORDER BY ConversationId LIMIT 1"
    )
    label = {"Source": "label", "Name": "satisfaction", "Satisfied": 0.0, "Explanation": LABELLED}
    store.context(LATER_MS).insert(
        "assessments", [{**judged, **label, "AssessmentId": "labelled", "Version": LATER_MS}]
    )
