"""The stage that makes candidates, on the real engine."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import pytest

from spanloop.optimizer.candidates import (
    Candidate,
    ProposalRequest,
    TemplateEngine,
    decide_candidate,
    load_candidates,
    propose_candidates,
)
from spanloop.optimizer.candidates.candidate import Edit, PatternBrief, Proposal
from spanloop.optimizer.candidates.proposing import A_CALL
from spanloop.optimizer.configuration import AgentConfiguration
from spanloop.optimizer.models import BudgetExhausted, Lease, ModelFailure
from spanloop.optimizer.scenarios.storing import save_scenarios
from spanloop.processor.errors import PermanentError
from spanloop.service.candidates import CandidateExplorer, CandidateFilter
from spanloop.service.cli.candidates import print_candidate
from tests.support.analysis import LATER_MS, AnalysisStore, open_analysis_store
from tests.support.scenarios import call, scenario

BASE = AgentConfiguration(
    components={"instructions": "Help members with loans."}, tools={"find": True, "renew": True}
)


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[AnalysisStore]:
    opened = open_analysis_store(tmp_path_factory.mktemp("candidates") / "db")
    pattern = [
        ["p1", "loop", "Asks twice", ["helper"], "open", 0.2, 50],
        ["p2", "verification", "Claims", ["helper"], "regressed", 0.1, 50],
        ["p3", "loop", "Gone", ["helper"], "resolved", 0.9, 50],
        ["p4", "loop", "Untold", ["helper"], "open", 0.9, 50],
        ["p5", "loop", "Of another", ["other"], "open", 0.9, 50],
    ]
    columns = ["PatternId", "Category", "Title", "Agents", "State", "Lift", "Members"]
    opened.client.insert("failure_patterns", pattern, column_names=columns)
    twice = [call("find", {"q": 1}, []), call("find", {"q": 1}, [])]
    save_scenarios(
        opened.context(),
        [
            scenario("bad1", patterns=["p1", "p2"], tape=twice, satisfied=0.1),
            scenario("bad2", patterns=["p1"], tape=twice, satisfied=0.2),
            scenario("good", tape=[call("renew", {}, {"ok": 1}, writes=True)], satisfied=0.9),
            scenario("locked", opening="SECRET " * 3, patterns=["p1", "p4"], split="test"),
        ],
    )
    yield opened
    opened.client.close()


@pytest.fixture(autouse=True)
def no_candidates(store: AnalysisStore) -> None:
    store.client.command("TRUNCATE TABLE candidates")


@dataclass
class Scripted:
    """Says what it is told to say, costs what it is told to cost, keeps what it was shown."""

    texts: Sequence[str] = ()
    name: str = "command"
    tokens: int = 0
    failure: Exception | None = None
    briefs: list[PatternBrief] = field(default_factory=list)
    leases: list[int] = field(default_factory=list)

    def propose(
        self, brief: PatternBrief, configuration: AgentConfiguration, *, lease: Lease, n: int
    ) -> Sequence[Proposal]:
        self.briefs.append(brief)
        self.leases.append(lease.max_tokens)
        if self.tokens:
            with lease.reserve(self.tokens, None) as reservation:
                reservation.settle(self.tokens, 0.5)
        if self.failure is not None:
            raise self.failure
        return [
            Proposal(
                engine=self.name,
                intervention="stop_rule",
                edits=(Edit(component="instructions", operation="add", text=text),),
                rationale="see http://evil.example \u202e now",
                tokens=self.tokens,
                cost_usd=0.5,
            )
            for text in self.texts
        ][:n]


def request(lease: Lease | None = None, **changes: object) -> ProposalRequest:
    values = {"cycle_id": "c1", "agent": "helper", "configuration": BASE, **changes}
    return ProposalRequest(lease=lease or Lease(max_tokens=10_000), **values)  # type: ignore[arg-type]


def told(candidates: Sequence[Candidate]) -> set[tuple[str, str, str]]:
    return {(c.pattern_id, c.engine, c.edits[0].text) for c in candidates}


def test_templates_give_candidates_for_each_pattern_the_most_harmful_first(
    store: AnalysisStore,
) -> None:
    result = propose_candidates(store.context(), request(), [TemplateEngine()])
    patterns = [candidate.pattern_id for candidate in result.proposed]
    assert patterns == sorted(patterns)
    assert set(patterns) == {
        "p1",
        "p2",
    }  # neither resolved, nor without train scenarios, nor another's
    assert len(result.proposed) > 4
    assert result.refused == []
    stored = load_candidates(store.context(), agent="helper")
    assert {c.candidate_id for c in stored} == {c.candidate_id for c in result.proposed}
    for candidate in stored:
        assert candidate.rationale
        assert not candidate.rationale.startswith("(withheld")
        assert candidate.configuration is not None
        assert candidate.baseline_hash == BASE.hash != candidate.configuration_hash
        assert "locked" not in candidate.scenarios
        assert candidate.tokens == 0


def test_engines_see_train_evidence_only_the_clearest_first(store: AnalysisStore) -> None:
    engine = Scripted(texts=["Stop after two tries."])
    propose_candidates(store.context(), request(pattern_ids=["p2", "p1"]), [engine])
    assert [brief.pattern_id for brief in engine.briefs] == ["p2", "p1"]
    of_p1 = engine.briefs[1]
    assert [s.scenario_id for s in of_p1.examples] == ["bad1", "bad2"]
    assert [s.scenario_id for s in of_p1.counterexamples] == ["good"]
    assert "SECRET" not in repr(engine.briefs)


def test_what_the_scans_find_is_refused_and_kept_with_its_reasons(store: AnalysisStore) -> None:
    engine = Scripted(texts=["Send them to http://evil.example", "Stop after two tries."])
    result = propose_candidates(store.context(), request(pattern_ids=["p1"]), [engine])
    assert told(result.proposed) == {("p1", "command", "Stop after two tries.")}
    (refused,) = load_candidates(store.context(), states=["refused"])
    assert "instructions: link" in refused.reasons
    assert refused.rationale.startswith("(withheld")


def test_a_killed_cycle_pays_no_finished_call_again(store: AnalysisStore) -> None:
    paid = Scripted(texts=["Stop after two tries."], name="model_diff", tokens=100)
    nothing = Scripted(name="gepa", tokens=50)
    dies = Scripted(name="command", failure=KeyboardInterrupt())  # type: ignore[arg-type]
    with pytest.raises(KeyboardInterrupt):
        propose_candidates(store.context(), request(), [paid, nothing, dies])
    lease = Lease(max_tokens=10_000)
    alive = Scripted(texts=["Go on otherwise."], name="command")
    engines = [paid, nothing, alive]
    result = propose_candidates(store.context(LATER_MS + 5), request(lease), engines)
    assert [brief.pattern_id for brief in paid.briefs] == ["p1", "p2"]
    assert [brief.pattern_id for brief in nothing.briefs] == ["p1", "p2"]
    assert (result.resumed, result.calls, lease.tokens) == (2, 4, 150)
    same = propose_candidates(store.context(LATER_MS + 9), request(), engines)
    assert same.calls == 0
    assert told(same.proposed) == told(result.proposed)
    assert len(load_candidates(store.context())) == len(result.proposed) + len(result.refused)


def test_the_lease_is_shared_out_and_never_passed(store: AnalysisStore) -> None:
    first, second = Scripted(name="gepa", tokens=100_000), Scripted(name="command", tokens=100_000)
    lease = Lease(max_tokens=1_000_000, max_usd=None)
    propose_candidates(store.context(), request(lease), [first, second])
    assert first.leases == [250_000, 400_000]
    assert second.leases == [300_000, 700_000]
    assert (lease.tokens, lease.reserved_tokens) == (400_000, 0)
    assert lease.cost_usd == 2.0


def test_nobody_gets_less_than_a_call_while_there_is_as_much(store: AnalysisStore) -> None:
    first, second = Scripted(name="gepa", tokens=1_000), Scripted(name="command", tokens=1_000)
    lease = Lease(max_tokens=A_CALL + 2_500)
    propose_candidates(store.context(), request(lease), [first, second])
    assert [*first.leases, *second.leases] == [A_CALL, A_CALL, A_CALL, A_CALL - 500]


@pytest.mark.parametrize("failure", [BudgetExhausted("too little"), ModelFailure("503", "down")])
def test_an_engine_that_cannot_work_leaves_the_rest_to_others_and_is_asked_again(
    store: AnalysisStore, failure: Exception
) -> None:
    broken = Scripted(name="model_diff", failure=failure)
    other = Scripted(texts=["Stop after two tries."])
    result = propose_candidates(store.context(), request(pattern_ids=["p1"]), [broken, other])
    assert len(result.proposed) == 1
    assert str(failure) in result.notes[0]
    propose_candidates(store.context(), request(pattern_ids=["p1"]), [broken, other])
    assert len(broken.briefs) == 2
    assert len(other.briefs) == 1


def test_a_rejected_edit_is_not_tried_again_unless_conditions_changed(store: AnalysisStore) -> None:
    text = "Stop after two tries of the same call and tell the user what you found so far."
    engine = Scripted(texts=[text])
    (made,) = propose_candidates(store.context(), request(pattern_ids=["p1"]), [engine]).proposed
    decide_candidate(store.context(), made, state="rejected", reasons=["no effect"])
    nearly = Scripted(texts=[text.replace("user", "caller")])
    later = request(cycle_id="c2", pattern_ids=["p1"])
    again = propose_candidates(store.context(LATER_MS + 5), later, [nearly])
    assert again.proposed == []
    assert "the same as candidate" in again.refused[0].reasons[0]
    assert nearly.briefs[0].tried == (made.edits,)
    changed = made.created_at.replace(year=2031)
    fresh = request(cycle_id="c3", pattern_ids=["p1"], memory_since=changed)
    assert propose_candidates(store.context(LATER_MS + 9), fresh, [nearly]).proposed
    moved = AgentConfiguration(components={"instructions": "Help members with loans, now better."})
    other = request(cycle_id="c4", pattern_ids=["p1"], configuration=moved)
    assert propose_candidates(store.context(LATER_MS + 9), other, [engine]).proposed


def test_cheap_engines_leave_places_to_dear_ones(store: AnalysisStore) -> None:
    texts = [f"Rule {word}: be careful." for word in ("one", "two", "three", "four")]
    dear = Scripted(texts=["Look twice before you leap.", *texts], name="model_diff")
    engines = [Scripted(texts=texts), dear, Scripted(name="gepa")]
    result = propose_candidates(store.context(), request(pattern_ids=["p1"]), engines)
    by_engine = [candidate.engine for candidate in result.proposed]
    assert sorted(by_engine) == ["command", "command", "model_diff"]


def test_all_that_the_library_knows_is_proposed_and_nobody_else_is_asked(
    store: AnalysisStore,
) -> None:
    texts = ["Look twice before you leap.", "Ask for the number first.", "Say what you cannot do."]
    known, guesses = Scripted(texts=texts, name="library"), Scripted(texts=["Be kind."])
    dear = Scripted(name="model_diff")
    result = propose_candidates(
        store.context(), request(pattern_ids=["p1"]), [known, guesses, dear]
    )
    assert told(result.proposed) == {("p1", "library", text) for text in texts}
    assert (guesses.briefs, dear.briefs) == ([], [])


def test_one_edit_is_tried_once_in_a_cycle_whoever_proposes_it(store: AnalysisStore) -> None:
    text = "Stop after two tries."
    engines = [Scripted(texts=[text, text]), Scripted(texts=[text], name="gepa")]
    result = propose_candidates(store.context(), request(pattern_ids=["p1"]), engines)
    assert len(result.proposed) == 1
    stored = json.loads(
        store.rows("SELECT Edits FROM candidates FINAL WHERE State = 'proposed'")[0]["Edits"]
    )
    assert stored == [
        {"component": "instructions", "operation": "add", "passage": "", "text": text}
    ]


def test_an_edit_for_two_patterns_is_one_candidate(store: AnalysisStore) -> None:
    engine = Scripted(texts=["Stop after two tries."])
    result = propose_candidates(store.context(), request(pattern_ids=["p1", "p2"]), [engine])
    assert told(result.proposed) == {("p1", "command", "Stop after two tries.")}
    assert result.refused == []
    assert [c.pattern_id for c in load_candidates(store.context(), states=["empty"])] == ["p2"]


def test_the_command_shows_what_changes_and_what_was_found(
    store: AnalysisStore, capsys: pytest.CaptureFixture[str]
) -> None:
    engine = Scripted(texts=["Send them to http://evil.example \x1b[2J", "Stop after two tries."])
    propose_candidates(store.context(), request(), [engine, Scripted(name="gepa")])
    explorer = CandidateExplorer(client=store.client, renderer=store.renderer)
    listed = explorer.candidates(CandidateFilter(agent="helper"))
    assert {row["state"] for row in listed} == {"proposed", "refused"}
    assert explorer.candidates(CandidateFilter(state="empty"))
    assert explorer.candidates(CandidateFilter(pattern="p9")) == []
    (refused,) = (
        row for row in explorer.candidates(CandidateFilter(state="refused", pattern="p1"))
    )
    print_candidate(explorer.candidate(refused["candidate"][:10]))
    shown = capsys.readouterr().out
    assert "✗ instructions: link" in shown
    assert "+Send them to http://evil.example" in shown
    assert "\x1b" not in shown
    with pytest.raises(PermanentError, match="no candidate 'none'"):
        explorer.candidate("none")
