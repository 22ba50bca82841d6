import json

from spanloop.optimizer.candidates.candidate import Edit
from spanloop.optimizer.models import Lease, ModelFailure
from spanloop.optimizer.models.fakes import ScriptedAnswers
from spanloop.optimizer.strategies.distilling import plain_insight
from spanloop.optimizer.strategies.writing import ModelWriter

EDITS = (Edit(component="instructions", operation="add", text="Call `{tool}` first."),)
PLAIN = plain_insight("loop", "stop_rule", EDITS)
WORDS = {
    "title": "Stop in time",
    "applies_when": "Runs go on after they have failed twice.",
    "principle": "A limit that is stated is kept.",
}


def test_a_model_words_the_insight_and_sees_only_the_edit() -> None:
    model = ScriptedAnswers([json.dumps(WORDS)])
    writer = ModelWriter(model=model, lease=Lease(max_tokens=10_000))
    words = writer.write("loop", "stop_rule", EDITS, PLAIN)
    assert words is not None
    assert words.title == "Stop in time"
    assert "{tool}" in model.prompts[0].user


def test_without_an_answer_the_plain_words_stay_and_the_reason_is_told() -> None:
    model = ScriptedAnswers([ModelFailure("unreachable", "down")])
    writer = ModelWriter(model=model, lease=Lease(max_tokens=10_000))
    assert writer.write("loop", "stop_rule", EDITS, PLAIN) is None
    assert writer.skipped is not None
    assert "down" in writer.skipped
    assert writer.write("loop", "stop_rule", EDITS, PLAIN) is None
    assert len(model.prompts) == 1


def test_nothing_is_asked_beyond_the_lease() -> None:
    model = ScriptedAnswers([json.dumps(WORDS)])
    writer = ModelWriter(model=model, lease=Lease(max_tokens=1))
    assert writer.write("loop", "stop_rule", EDITS, PLAIN) is None
    assert not model.prompts
