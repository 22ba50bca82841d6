"""A model that plays the user of a scenario, within bounds."""

from collections.abc import Sequence

from spanloop.optimizer.models.chat import ChatModel, Message
from spanloop.optimizer.replay.episode import EpisodeRequest
from spanloop.optimizer.replay.quoting import capped, mark_of, quoted, rule
from spanloop.optimizer.replay.users import UserFactory, UserSimulator

STOP = "###DONE###"
MAX_TURNS = 12
MAX_CHARS = 2_000
PLAY = (
    "You play the user in a test of a support agent. Stay in the role; never help the agent, never "
    "explain the test, never speak for the agent. Write what this user would write next, as short as the "
    "recorded messages are. Tell a fact only when the agent asks for it or cannot go on without it, one at a "
    "time; invent none: asked for what is not among the facts, say that you do not know. You are content "
    f"only with what you wanted. When you have it, or have given up, write {STOP} and nothing else."
)


class ModelUser:
    """A user whose words are a model's; goal, persona, recorded words and facts are the scenario's.

    The model is told a fact no earlier than one turn before the recorded user told it, so that it cannot put
    everything first; recorded reactions to failures are examples of how this user speaks, nothing to repeat.
    """

    def __init__(self, model: ChatModel, request: EpisodeRequest) -> None:
        self._model = model
        self._request = request
        self._mark = mark_of(f"{request.run_id}:{request.seed}")
        self._heard: list[tuple[str, str]] = [("you", request.scenario.content.opening)]
        self._turns = 0

    async def reply(self, answer: str) -> str | None:
        """Return the user's next words; see `UserSimulator`.

        Raises:
            ModelFailure, BudgetExhausted: of the model.
        """
        if self._turns >= MAX_TURNS:
            return None
        self._turns += 1
        self._heard.append(("agent", answer))
        reply = await self._model.complete(
            self._messages(),
            [],
            {"temperature": 0.7, "max_tokens": 300},
            nonce=f"{self._request.run_id}:{self._request.seed}:user:{self._turns}",
        )
        said = (reply.message.content or "").strip()
        if not said or STOP in said:
            return None
        self._heard.append(("you", said[:MAX_CHARS]))
        return said[:MAX_CHARS]

    def _messages(self) -> Sequence[Message]:
        scenario = self._request.scenario
        content = scenario.content
        known = content.turns[: self._turns]
        facts = [*content.facts, *(fact for turn in known for fact in turn.facts)]
        entries = [
            {"goal": scenario.goal or content.opening},
            {"persona": content.persona},
            {"facts": ", ".join(dict.fromkeys(facts))},
            *({"recorded_message": turn.text} for turn in known if not turn.reaction),
            *({who: capped(text)} for who, text in self._heard),
        ]
        return [
            Message(role="system", content=f"{PLAY}\n{rule(self._mark)}"),
            Message(role="user", content=quoted(entries, self._mark)),
        ]


def model_user(model: ChatModel) -> UserFactory:
    """Return a factory of users that ``model`` plays."""

    def make(request: EpisodeRequest) -> UserSimulator:
        return ModelUser(model, request)

    return make
