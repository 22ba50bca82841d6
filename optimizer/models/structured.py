"""Answers with a shape: asked for as JSON, checked by pydantic, repaired once."""

import json
import re
from dataclasses import dataclass, replace
from typing import Generic, TypeVar

from pydantic import BaseModel, ValidationError

from spanloop.optimizer.models.budget import Lease
from spanloop.optimizer.models.port import Model, ModelFailure, Prompt, Reply
from spanloop.processor.errors import RetryableError

T = TypeVar("T", bound=BaseModel)
_OBJECT = re.compile(r"\{.*\}", re.DOTALL)
MAX_ANSWER_CHARS = 100_000


class AnswerInvalid(RetryableError):
    """The model did not answer in the asked shape, even when told what was wrong."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked(Generic[T]):
    """A checked answer and what it cost, repairs included."""

    answer: T
    model: str
    tokens: int
    cost_usd: float | None


def ask(model: Model, prompt: Prompt, shape: type[T], lease: Lease) -> Asked[T]:
    """Return the model's answer to ``prompt`` as a ``shape``.

    Raises:
        BudgetExhausted: before anything is spent, or before the repair.
        ModelFailure: the call failed.
        AnswerInvalid: two answers did not have the shape.
    """
    schema = json.dumps(shape.model_json_schema(), ensure_ascii=False)
    asked = replace(
        prompt,
        system=f"{prompt.system}\n\nAnswer with one JSON object of this JSON Schema, nothing else:\n{schema}",
    )
    first = _call(model, asked, lease)
    try:
        return _asked(shape, [first])
    except ValidationError as invalid:
        problems = "; ".join(
            f"{'.'.join(map(str, e['loc']))}: {e['msg']}"
            for e in invalid.errors(include_input=False)
        )
    again = replace(
        asked,
        system=f"{asked.system}\n\nAn earlier answer was refused: {problems[:1000]}. Answer anew.",
        seed=asked.seed + 1,
    )
    second = _call(model, again, lease)
    try:
        return _asked(shape, [first, second])
    except ValidationError:
        raise AnswerInvalid(
            f"{model.name} did not answer as {shape.__name__} in two attempts"
        ) from None


def _call(model: Model, prompt: Prompt, lease: Lease) -> Reply:
    with lease.reserve(prompt.tokens_at_most, model.price_at_most(prompt)) as reservation:
        try:
            reply = model.complete(prompt)
        except ModelFailure as failure:
            if not failure.answered_late:  # else it may have been generated, and charged
                reservation.cancel()
            raise
        reservation.settle(_tokens(reply, prompt), reply.cost_usd)
    return reply


def _tokens(reply: Reply, prompt: Prompt) -> int:
    """Return what the provider counted, else the bound: an uncounted call must not look free."""
    if reply.input_tokens is None or reply.output_tokens is None:
        return prompt.tokens_at_most
    return reply.input_tokens + reply.output_tokens


def _asked(shape: type[T], replies: list[Reply]) -> Asked[T]:
    text = replies[-1].text[:MAX_ANSWER_CHARS]
    found = _OBJECT.search(text)
    answer = shape.model_validate_json(found[0] if found else text)
    costs = [reply.cost_usd for reply in replies]
    return Asked(
        answer=answer,
        model=replies[-1].model,
        tokens=sum((r.input_tokens or 0) + (r.output_tokens or 0) for r in replies),
        cost_usd=None if None in costs else sum(c for c in costs if c is not None),
    )
