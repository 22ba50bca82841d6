"""Every run with its own recorded model answers and its own tape: does the machinery reproduce its steps?

The model is a playback of the recording in this process; loop, tool world, user and spans are the product's,
and the steps are read from the spans it told.
"""

import asyncio
import json
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from opentelemetry.sdk.trace import ReadableSpan

from benchmarks.replay.runs import Run, Step, share
from spanloop.optimizer.configuration import AgentConfiguration
from spanloop.optimizer.models.chat import ChatReply, ChatTool, Message, Parameters, ToolCall
from spanloop.optimizer.models.port import ModelFailure
from spanloop.optimizer.models.rate_limit import RateLimiter, RateLimits
from spanloop.optimizer.replay import (
    EpisodeRequest,
    EpisodeResult,
    KeepingEmitter,
    ReplayTarget,
    play_all,
)
from spanloop.optimizer.scenarios.scenario import Content, Scenario, UserTurn

AIM = 0.99
UNBOUNDED = 10_000
END = "end_of_recording"
"""How playback says that it has no more: a recording may end with a call, or with an unanswered message."""


class Playback:
    """Plays the recorded answers of one run."""

    name = "recorded/playback"

    def __init__(self, run: Run) -> None:
        self._answers = answers(run.steps)

    async def complete(
        self,
        messages: Sequence[Message],
        tools: Sequence[ChatTool],
        parameters: Parameters,
        *,
        nonce: str,
    ) -> ChatReply:
        """Return the next recorded answer."""
        del messages, tools, parameters, nonce
        if not self._answers:
            raise ModelFailure(END, "the recording has no further answer")
        return ChatReply(message=self._answers.pop(0), model=self.name)

    def price_at_most(
        self, messages: Sequence[Message], tools: Sequence[ChatTool], parameters: Parameters
    ) -> float | None:
        """Nothing."""
        del messages, tools, parameters
        return 0.0


def measure(runs: Sequence[Run]) -> dict[str, Any]:
    """Replay every run from itself."""
    played = [(run, *asyncio.run(replay(run))) for run in runs]
    same = {run.trajectory: sum(map(Step.__eq__, run.steps, told)) for run, _, told in played}
    steps = sum(len(run.steps) for run in runs)
    whole = sum(list(run.steps) == told for run, _, told in played)
    tiers: dict[str, int] = {}
    for _, result, _ in played:
        for tier, n in result.tiers.items():
            tiers[tier] = tiers.get(tier, 0) + n
    reproduced = share(sum(same.values()), steps)
    return {
        "runs": share(whole, len(runs)),
        "steps": reproduced,
        "tiers": tiers,
        "aims": [
            {
                "aim": "steps reproduced from the run's own tape",
                "wanted": f">= {AIM}",
                "measured": reproduced["share"],
                "met": reproduced["share"] is not None and reproduced["share"] >= AIM,
            }
        ],
    }


async def replay(run: Run) -> tuple[EpisodeResult, list[Step]]:
    """Play one run; return how it went and the steps that its spans tell."""
    emitter = KeepingEmitter()
    target = ReplayTarget(model=Playback(run), emitter=emitter, max_misses=UNBOUNDED)
    request = EpisodeRequest(
        run_id=run.trajectory,
        scenario=scenario(run),
        configuration=AgentConfiguration(),
        max_steps=UNBOUNDED,
    )
    results: list[EpisodeResult] = []
    await play_all(
        [request], target, RateLimiter(RateLimits()), lambda _, result: results.append(result)
    )
    return results[0], told_steps(emitter.spans)


def scenario(run: Run) -> Scenario:
    """Return the scenario that one recording is by itself."""
    first = next(at for at, step in enumerate(run.steps) if step.kind == "user")
    day = datetime(2026, 1, 1, tzinfo=UTC)
    return Scenario(
        scenario_id=run.trajectory,
        agent=run.agent,
        content=Content(
            opening=run.steps[first].text,
            greeting="\n".join(step.text for step in run.steps[:first]),
            turns=tuple(
                UserTurn(text=step.text) for step in run.steps[first + 1 :] if step.kind == "user"
            ),
            system=run.system,
            tape=tuple(run.calls),
        ),
        first_seen=day,
        last_seen=day,
    )


def answers(steps: Sequence[Step]) -> list[Message]:
    """Return the model's answers: a text that calls follow belongs to the first of them."""
    first = next(at for at, step in enumerate(steps) if step.kind == "user")
    said: list[Message] = []
    text: str | None = None
    for step in steps[first + 1 :]:
        if step.kind == "tool":
            call = ToolCall(id=f"call-{len(said)}", name=step.tool, arguments=step.arguments)
            said.append(Message(role="assistant", content=text, tool_calls=(call,)))
            text = None
            continue
        if text is not None:
            said.append(Message(role="assistant", content=text))
        text = step.text if step.kind == "assistant" else None
    return [*said, *([Message(role="assistant", content=text)] if text is not None else [])]


def told_steps(spans: Sequence[ReadableSpan]) -> list[Step]:
    """Read the steps of an episode from its spans, in the order they were told."""
    steps: list[Step] = []
    known = 0
    for span in spans[:-1]:
        attributes: dict[str, Any] = dict(span.attributes or {})
        if attributes["gen_ai.operation.name"] == "execute_tool":
            steps.append(
                Step(
                    "tool",
                    "",
                    attributes["gen_ai.tool.name"],
                    attributes["gen_ai.tool.call.arguments"],
                    attributes["gen_ai.tool.call.result"],
                )
            )
            continue
        history = json.loads(attributes["gen_ai.input.messages"])
        fresh = history[known:]
        if known:  # what the model itself said is told by the call that said it
            fresh = [message for message in fresh if message["role"] == "user"]
        steps += [Step(m["role"], _text(m), "", "", "") for m in fresh]
        known = len(history)
        for message in json.loads(attributes.get("gen_ai.output.messages", "[]")):
            if text := _text(message):
                steps.append(Step("assistant", text, "", "", ""))
    return steps


def _text(message: dict[str, Any]) -> str:
    return "".join(part["content"] for part in message["parts"] if part["type"] == "text")
