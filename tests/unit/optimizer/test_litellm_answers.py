"""What providers answer that is no answer."""

from types import SimpleNamespace

import pytest

from spanloop.optimizer.models import ModelFailure, Prompt
from spanloop.optimizer.models.litellm_model import LiteLlmModel
from spanloop.optimizer.models.port import ModelSettings


class Emptied(LiteLlmModel):
    """Litellm whose provider answers ``body``; it is not imported."""

    def __init__(self, body: dict[str, object]) -> None:
        self._settings = ModelSettings(model="openai/m")
        answer = SimpleNamespace(model_dump=lambda: body)
        self._litellm = SimpleNamespace(completion=lambda **_: answer, model_cost={})
        self._error = OSError


@pytest.mark.parametrize("body", [{}, {"choices": None}, {"choices": []}])
def test_an_answer_without_a_choice_is_a_failure_of_the_model(body: dict[str, object]) -> None:
    with pytest.raises(ModelFailure) as caught:
        Emptied(body).complete(Prompt(system="", user=""))
    assert caught.value.kind == "empty"
