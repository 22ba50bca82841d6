"""Language models: one port, litellm behind it, a budget in front of it, answers checked by pydantic."""

from spanloop.optimizer.models.budget import BudgetExhausted, BudgetReserved, Lease, Reservation
from spanloop.optimizer.models.port import Model, ModelFailure, ModelSettings, Prompt, Reply
from spanloop.optimizer.models.structured import AnswerInvalid, Asked, ask

__all__ = [
    "AnswerInvalid",
    "Asked",
    "BudgetExhausted",
    "BudgetReserved",
    "Lease",
    "Model",
    "ModelFailure",
    "ModelSettings",
    "Prompt",
    "Reply",
    "Reservation",
    "ask",
]
