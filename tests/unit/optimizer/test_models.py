"""Budgets are kept before they are spent; answers have the asked shape or are no answers."""

from __future__ import annotations

import json

import pytest
from pydantic import BaseModel, ConfigDict

from spanloop.optimizer.models import (
    AnswerInvalid,
    BudgetExhausted,
    Lease,
    ModelFailure,
    Prompt,
    ask,
)
from spanloop.optimizer.models.fakes import ScriptedAnswers


class Verdict(BaseModel):
    model_config = ConfigDict(extra="forbid")
    verdict: str


GOOD = json.dumps({"verdict": "yes"})
PROMPT = Prompt(system="judge", user="data", max_tokens=50)


def test_an_answer_is_checked_and_paid_for() -> None:
    model, lease = (
        ScriptedAnswers([f"Sure!\n```json\n{GOOD}\n```"], usd_a_call=0.5),
        Lease(max_tokens=1000),
    )
    asked = ask(model, PROMPT, Verdict, lease)
    assert asked.answer == Verdict(verdict="yes")
    assert (asked.tokens, asked.cost_usd) == (110, 0.5)
    assert (lease.tokens, lease.cost_usd) == (110, 0.5)


def test_a_wrong_answer_is_asked_for_again_with_what_was_wrong() -> None:
    model, lease = ScriptedAnswers(['{"verdikt": 1}', GOOD]), Lease(max_tokens=2000)
    assert ask(model, PROMPT, Verdict, lease).answer.verdict == "yes"
    assert "verdict: Field required" in model.prompts[1].system
    assert model.prompts[1].user == PROMPT.user
    assert lease.tokens == 220  # both were paid for


def test_two_wrong_answers_are_no_answer() -> None:
    lease = Lease(max_tokens=2000)
    with pytest.raises(AnswerInvalid, match="Verdict in two attempts"):
        ask(ScriptedAnswers(["no json", "[]"]), PROMPT, Verdict, lease)
    assert lease.tokens == 220


def test_nothing_is_asked_that_could_cost_more_than_is_left() -> None:
    model = ScriptedAnswers([GOOD])
    with pytest.raises(BudgetExhausted, match="tokens"):
        ask(model, PROMPT, Verdict, Lease(max_tokens=40))
    with pytest.raises(BudgetExhausted, match="USD"):
        ask(
            ScriptedAnswers([GOOD], usd_a_call=2.0),
            PROMPT,
            Verdict,
            Lease(max_tokens=1000, max_usd=1.0),
        )
    assert model.prompts == []


def test_an_unknown_price_is_not_free() -> None:
    with pytest.raises(BudgetExhausted, match="price of this model is unknown"):
        ask(ScriptedAnswers([GOOD]), PROMPT, Verdict, Lease(max_tokens=1000, max_usd=1.0))
    lease = Lease(max_tokens=1000)
    ask(ScriptedAnswers([GOOD]), PROMPT, Verdict, lease)
    assert lease.cost_usd is None


def test_an_answer_that_came_too_late_may_have_cost_its_bound() -> None:
    lease = Lease(max_tokens=1000)
    with pytest.raises(ModelFailure):
        ask(ScriptedAnswers([ModelFailure("APITimeoutError", "slow")]), PROMPT, Verdict, lease)
    assert lease.tokens > PROMPT.max_tokens


def test_a_refusal_passes_through_and_costs_nothing() -> None:
    lease = Lease(max_tokens=1000)
    with pytest.raises(ModelFailure):
        ask(ScriptedAnswers([ModelFailure("429", "busy")]), PROMPT, Verdict, lease)
    assert lease.tokens == 0
