"""Language models: one port, litellm behind it, a budget in front of it, answers checked by pydantic."""

from spanloop.optimizer.models.budget import BudgetExhausted, Lease
from spanloop.optimizer.models.port import Model, ModelFailure, ModelSettings, Prompt, Reply
from spanloop.optimizer.models.structured import AnswerInvalid, Asked, ask

__all__ = [
    "AnswerInvalid",
    "Asked",
    "BudgetExhausted",
    "Lease",
    "Model",
    "ModelFailure",
    "ModelSettings",
    "Prompt",
    "Reply",
    "ask",
]
