"""Processor time, speed and memory of playing and judging episodes, the model's own work left aside."""

import asyncio
import resource
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from benchmarks.loop.model_server import COMPLETION_TOKENS, PROMPT_TOKENS, answer
from benchmarks.loop.stage import Stage, model_server, scenario, wait_for
from spanloop.optimizer.configuration import AgentConfiguration
from spanloop.optimizer.experiments.production import ProductionAssessor, freeze_assessor
from spanloop.optimizer.models import Lease, ModelSettings
from spanloop.optimizer.models.cache import ReplyCache
from spanloop.optimizer.models.chat import (
    ChatModel,
    ChatReply,
    ChatTool,
    LiteLlmChat,
    Message,
    Parameters,
    ToolCall,
)
from spanloop.optimizer.models.guarded import GuardedChat
from spanloop.optimizer.models.rate_limit import RateLimiter, RateLimits
from spanloop.optimizer.replay import (
    EpisodeRequest,
    EpisodeResult,
    OtlpEmitter,
    ReplayTarget,
    play_all,
)
from spanloop.optimizer.scenarios.scenario import Scenario

CALLS_AN_EPISODE = 5
"""Of the model; tools are called three times."""

INSTRUCTIONS = "Call read_history before you close a ticket."


@dataclass(frozen=True, slots=True, kw_only=True)
class Speed:
    """What was measured.

    Attributes:
        model: ``http`` = litellm over HTTP to another process; ``within`` = a function: no client.
        play_cpu_ms: an episode: model client, tool world, spans, receiver, write-ahead log, insert.
        judge_cpu_ms: an episode: assembly, symptoms, features, score.
        episodes_a_second: of playing.
        most_a_second: what the model's delay allows at this concurrency.
        first_judge_cpu_s: of the assessor's first batch, which learns what peers do.
        peak_mb: resident memory of the process, engine and server within.
        grew_mb: of it, since before the first episode.
    """

    model: str
    episodes: int
    concurrency: int
    delay_s: float
    judged_at_a_time: int
    play_cpu_ms: float
    judge_cpu_ms: float
    episodes_a_second: float
    most_a_second: float | None
    first_judge_cpu_s: float
    satisfied: float
    coverage: float
    peak_mb: float
    grew_mb: float


class WithinProcess:
    """The scripted model as a function, for what an HTTP client costs beside it."""

    name = "scripted/within"

    async def complete(
        self,
        messages: Sequence[Message],
        tools: Sequence[ChatTool],
        parameters: Parameters,
        *,
        nonce: str,
    ) -> ChatReply:
        """Answer at once."""
        del tools, parameters, nonce
        said = answer([{"role": m.role, "content": m.content} for m in messages])
        calls = tuple(
            ToolCall(
                id=call["id"],
                name=call["function"]["name"],
                arguments=call["function"]["arguments"],
            )
            for call in said.get("tool_calls", ())
        )
        return ChatReply(
            message=Message(role="assistant", content=said["content"], tool_calls=calls),
            model=self.name,
            finish_reason="tool_calls" if calls else "stop",
            input_tokens=PROMPT_TOKENS,
            output_tokens=COMPLETION_TOKENS,
        )

    def price_at_most(
        self, messages: Sequence[Message], tools: Sequence[ChatTool], parameters: Parameters
    ) -> float | None:
        """Unknown, so capped by tokens alone."""
        del messages, tools, parameters
        return None


def measure(
    on: Stage, *, name: str, episodes: int, concurrency: int, delay_s: float, at_a_time: int
) -> Mapping[str, Any]:
    """Play ``episodes`` and judge them: over HTTP, or within the process where ``delay_s`` is negative."""
    if delay_s < 0:
        return asdict(_measure(on, WithinProcess(), name, (episodes, concurrency, 0.0, at_a_time)))
    with model_server(delay_s) as server:
        settings = ModelSettings(
            model="openai/scripted-agent", api_base=server.base_url, api_key="none", timeout_s=120
        )
        return asdict(
            _measure(on, LiteLlmChat(settings), name, (episodes, concurrency, delay_s, at_a_time))
        )


def _measure(on: Stage, model: ChatModel, name: str, size: tuple[int, int, float, int]) -> Speed:
    episodes, concurrency, delay_s, at_a_time = size
    assessor = ProductionAssessor(
        on.context(), freeze_assessor(on.context(), as_of_ms=on.context().now_ms)
    )
    began_mb = _peak_mb()
    first_judge = _cpu(lambda: _play_and_judge(on, model, f"{name}-warm", assessor))
    requests = _requests(name, episodes)
    began, cpu = time.monotonic(), time.process_time()
    results = asyncio.run(_play(on, model, requests, concurrency))
    played_s = time.monotonic() - began
    wait_for(
        on.client,
        f"SELECT uniqExact(RunId) FROM genai_spans WHERE startsWith(RunId, '{name}-r')",  # noqa: S608 - our own name
        episodes,
    )
    play_cpu = time.process_time() - cpu
    runs = {request.run_id: request.scenario for request in requests}
    scores, judge_cpu = _judged(assessor, runs, at_a_time)
    coverage = [result.coverage or 0.0 for result in results]
    return Speed(
        model="http" if delay_s > 0 or model.name.startswith("openai/") else "within",
        episodes=episodes,
        concurrency=concurrency,
        delay_s=delay_s,
        judged_at_a_time=at_a_time,
        play_cpu_ms=round(1000 * play_cpu / episodes, 2),
        judge_cpu_ms=round(1000 * judge_cpu / episodes, 2),
        episodes_a_second=round(episodes / played_s, 2),
        most_a_second=round(concurrency / (CALLS_AN_EPISODE * delay_s), 2) if delay_s else None,
        first_judge_cpu_s=round(first_judge, 2),
        satisfied=round(sum(scores) / len(scores), 3),
        coverage=round(sum(coverage) / len(coverage), 3),
        peak_mb=round(_peak_mb()),
        grew_mb=round(_peak_mb() - began_mb),
    )


def _play_and_judge(on: Stage, model: ChatModel, name: str, assessor: ProductionAssessor) -> None:
    """Warm everything up: imports, connections, compiled statements, peers."""
    requests = _requests(name, 8)
    asyncio.run(_play(on, model, requests, 8))
    assessor.assess({request.run_id: request.scenario for request in requests}, gold=())


async def _play(
    on: Stage, model: ChatModel, requests: Sequence[EpisodeRequest], concurrency: int
) -> list[EpisodeResult]:
    assert on.endpoints.grpc is not None
    emitter = OtlpEmitter(on.endpoints.grpc)
    limiter = RateLimiter(RateLimits(in_flight=concurrency))
    cache = ReplyCache(
        on.directory / f"replies-{requests[0].run_id}.sqlite",
        now_ms=lambda: time.time_ns() // 10**6,
    )
    guarded = GuardedChat(model=model, lease=Lease(max_tokens=10**12), limiter=limiter, cache=cache)
    results: list[EpisodeResult] = []
    try:
        await play_all(
            requests,
            ReplayTarget(model=guarded, emitter=emitter),
            limiter,
            lambda request, result: results.append(result),
        )
    finally:
        emitter.close()
        cache.close()
    lost = [result for result in results if result.state != "finished"]
    if lost:
        raise RuntimeError(
            f"{len(lost)} episodes did not finish: {lost[0].state} {lost[0].error_kind}"
        )
    return results


def _judged(
    assessor: ProductionAssessor, runs: Mapping[str, Scenario], at_a_time: int
) -> tuple[list[float], float]:
    """Return the scores of all runs, and the processor time that judging took."""
    names = list(runs)
    scores: list[float] = []
    cpu = time.process_time()
    for first in range(0, len(names), at_a_time):
        batch = names[first : first + at_a_time]
        said = assessor.assess({name: runs[name] for name in batch}, gold=batch[::4])
        scores += [each.score for each in said.values() if each.score is not None]
    if len(scores) < len(names):
        raise RuntimeError(f"{len(names) - len(scores)} of {len(names)} runs have no score")
    return scores, time.process_time() - cpu


def _requests(name: str, n: int) -> list[EpisodeRequest]:
    configuration = AgentConfiguration(components={"instructions": INSTRUCTIONS})
    return [
        EpisodeRequest(
            run_id=f"{name}-r{number:06d}",
            scenario=scenario(number % 100),
            configuration=configuration,
            seed=number,
        )
        for number in range(n)
    ]


def _cpu(work: Any) -> float:
    began = time.process_time()
    work()
    return time.process_time() - began


def _peak_mb() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def work_directory(root: Path) -> Path:
    """Return a directory for a server's data under ``root``."""
    path = root / "loop"
    path.mkdir(parents=True, exist_ok=True)
    return path
