"""Traffic for the agent: scripted users talk to it, one conversation after the other."""

import random
import uuid
from collections import Counter
from collections.abc import Callable, Generator, Sequence, Set
from contextlib import contextmanager
from dataclasses import dataclass, field, replace

from spanloop.client import ConfigClient
from spanloop.examples.support_agent import catalogue
from spanloop.examples.support_agent.agent import Conversation, SupportAgent, Turn
from spanloop.examples.support_agent.configuration import AgentConfiguration, load_configuration
from spanloop.examples.support_agent.conversations import (
    ConversationScript,
    Facts,
    UserTurn,
    facts_about,
    fill,
    is_satisfied,
    load_conversations,
    orders_of_kind,
)
from spanloop.examples.support_agent.database import OrderDatabase
from spanloop.examples.support_agent.instrumentation import TurnIdentity
from spanloop.examples.support_agent.model import LiteLLMModel, ModelSettings
from spanloop.examples.support_agent.telemetry import Telemetry, TelemetrySettings

SCRIPTED = ModelSettings(
    model="openai/scripted-support-1", api_key="not-a-key", provider_name="scripted"
)
"""Settings for the scripted server, but for its address."""

RATES_WHEN_SATISFIED = 0.2
RATES_WHEN_NOT = 0.6
"""Share of users who rate: the unhappy rate more often, as they do."""

EVENT_CONVERSATION_CLOSED = "support.conversation.closed"

NewId = Callable[[], str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """How far a run is; given to `on_progress` after each conversation."""

    conversations_done: int
    conversations_total: int


OnProgress = Callable[[Progress], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class ConversationResult:
    """What one scripted user experienced.

    Attributes:
        satisfied: every wish was met in the end.
        let_down: how many answers did not give what the user wanted.
        rating: 1.0 or 0.0 where the user rated, else None.
    """

    script: str
    conversation_id: str
    turns: tuple[Turn, ...] = field(repr=False)
    satisfied: bool
    let_down: int
    rating: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class TrafficSummary:
    """Counts of a run, and the ids to find it by.

    Attributes:
        satisfied: conversations in which every wish was met in the end.
        let_down: conversations with at least one answer that did not give what the user wanted.
        rated: conversations whose user gave a rating.
        tools: calls by tool name.
    """

    conversations: int
    turns: int
    model_calls: int
    tool_calls: int
    satisfied: int
    let_down: int
    rated: int
    tools: dict[str, int]
    conversation_ids: tuple[str, ...]
    trace_ids: tuple[str, ...]

    @property
    def spans(self) -> int:
        """Spans the run has recorded: one per turn, model call and tool call."""
        return self.turns + self.model_calls + self.tool_calls


@dataclass(frozen=True, slots=True, kw_only=True)
class TrafficPlan:
    """What to run: how many conversations, chosen by which seed, under which configuration.

    With a `client` every conversation runs under the release that spanloop assigns to it.
    """

    conversations: int = 27
    seed: int = 0
    configuration: AgentConfiguration = field(default_factory=load_configuration)
    client: ConfigClient | None = None


def run_support_traffic(
    otlp_endpoint: str,
    *,
    model_base_url: str,
    conversations: int = 27,
    seed: int = 0,
    on_progress: OnProgress | None = None,
) -> TrafficSummary:
    """Run the production configuration against the scripted model; everything else is real.

    Args:
        otlp_endpoint: OTLP gRPC endpoint, `http://host:port`.
        model_base_url: `start_scripted_model().base_url`.
        conversations: how many; every script is used once before one is used again.
        seed: chooses the order of scripts, the shop's orders, and who rates.
        on_progress: called after each conversation.

    Raises:
        ExportError: when the endpoint did not take all spans.
    """
    return run_agent_traffic(
        TelemetrySettings(endpoint=otlp_endpoint),
        model=replace(SCRIPTED, api_base=model_base_url),
        plan=TrafficPlan(conversations=conversations, seed=seed),
        on_progress=on_progress,
    )


def run_agent_traffic(
    telemetry_settings: TelemetrySettings,
    *,
    model: ModelSettings,
    plan: TrafficPlan,
    on_progress: OnProgress | None = None,
) -> TrafficSummary:
    """Build an agent, run the plan's traffic, send all telemetry, and close everything.

    Raises:
        ExportError: when the endpoint did not take all spans.
    """
    telemetry = Telemetry(replace(telemetry_settings, service_version=plan.configuration.version))
    if plan.client is not None:
        telemetry.tracer_provider.add_span_processor(plan.client.span_processor())
    database = OrderDatabase()
    try:
        agent = SupportAgent(
            plan.configuration, database=database, model=LiteLLMModel(model), telemetry=telemetry
        )
        summary = summarize(run_traffic(agent, plan, on_progress=on_progress))
        telemetry.flush()
        return summary
    finally:
        database.close()
        telemetry.shutdown()


def run_traffic(
    agent: SupportAgent,
    plan: TrafficPlan,
    *,
    on_progress: OnProgress | None = None,
    new_id: NewId = lambda: f"conv-{uuid.uuid4().hex[:16]}",
) -> list[ConversationResult]:
    """Let scripted users talk to the agent, one after the other; ids are new every time.

    The shop's database is reset before each conversation, so that each stands alone. A customer comes
    back only when all others have come.
    """
    rng = random.Random(plan.seed)
    results: list[ConversationResult] = []
    served: set[str] = set()
    for script in _deal(load_conversations(), plan.conversations, rng):
        agent.database.reset()
        facts = _pick_facts(agent.database, script, served, rng)
        served.add(facts["customer_id"])
        conversation_id = new_id()
        with _released(agent, plan.client, conversation_id, facts["customer_id"]) as chosen:
            results.append(
                _converse(chosen, script, facts=facts, conversation_id=conversation_id, rng=rng)
            )
        if on_progress is not None:
            total = plan.conversations
            on_progress(Progress(conversations_done=len(results), conversations_total=total))
    return results


@contextmanager
def _released(
    agent: SupportAgent, client: ConfigClient | None, conversation_id: str, customer_id: str
) -> Generator[SupportAgent]:
    """The agent under what `client` assigns; without one, as it is."""
    if client is None:
        yield agent
        return
    with client.conversation(conversation_id, customer_id) as assigned:
        yield agent.under(agent.configuration.as_released(assigned.configuration))


def summarize(results: Sequence[ConversationResult]) -> TrafficSummary:
    """Count what a run did."""
    turns = [turn for result in results for turn in result.turns]
    tools = Counter(tool for turn in turns for tool in turn.tool_calls)
    return TrafficSummary(
        conversations=len(results),
        turns=len(turns),
        model_calls=sum(turn.model_calls for turn in turns),
        tool_calls=tools.total(),
        satisfied=sum(result.satisfied for result in results),
        let_down=sum(result.let_down > 0 for result in results),
        rated=sum(result.rating is not None for result in results),
        tools=dict(sorted(tools.items())),
        conversation_ids=tuple(result.conversation_id for result in results),
        trace_ids=tuple(turn.trace_id for turn in turns),
    )


def _deal(
    scripts: Sequence[ConversationScript], n: int, rng: random.Random
) -> list[ConversationScript]:
    dealt: list[ConversationScript] = []
    while len(dealt) < n:
        dealt.extend(rng.sample(scripts, k=len(scripts)))
    return dealt[:n]


def _pick_facts(
    database: OrderDatabase, script: ConversationScript, served: Set[str], rng: random.Random
) -> Facts:
    owners = orders_of_kind(database, script.order)
    order_id = rng.choice(
        [order for order, owner in owners.items() if owner not in served] or list(owners)
    )
    street, city = rng.choice(catalogue.STREETS), rng.choice(catalogue.CITIES)
    address = f"{rng.randint(100, 199)} {street}, {city}"  # customers live below number 100
    return facts_about(database, order_id, new_address=address)


def _converse(
    agent: SupportAgent,
    script: ConversationScript,
    *,
    facts: Facts,
    conversation_id: str,
    rng: random.Random,
) -> ConversationResult:
    conversation = agent.start_conversation(conversation_id, customer_id=facts["customer_id"])
    turns: list[Turn] = []
    let_down = 0
    satisfied = True
    for wish in script.turns:
        lines = (rng.choice(wish.say), *wish.otherwise)
        misses, met = _pursue(agent, conversation, (wish, lines), facts=facts, turns=turns)
        let_down += misses
        if not met:
            satisfied = False
            break
    if satisfied and script.closing is not None:
        turns.append(agent.reply(conversation, fill(script.closing, facts)))
    rating = _rating(satisfied and let_down == 0, rng)
    result = ConversationResult(
        script=script.name,
        conversation_id=conversation_id,
        turns=tuple(turns),
        satisfied=satisfied,
        let_down=let_down,
        rating=rating,
    )
    _record_end(agent, conversation, result)
    return result


def _pursue(
    agent: SupportAgent,
    conversation: Conversation,
    wanted: tuple[UserTurn, Sequence[str]],
    *,
    facts: Facts,
    turns: list[Turn],
) -> tuple[int, bool]:
    """Say the wish and its follow-ups until it is met; returns (misses, met)."""
    wish, lines = wanted
    for misses, line in enumerate(lines):
        left = wish.leaves and misses == len(wish.otherwise)
        turn = agent.reply(conversation, fill(line, facts))
        turns.append(turn)
        answer = turn.answer
        if not left and is_satisfied(wish, answer, facts=facts, database=agent.database):
            return misses, True
    return 1 + len(wish.otherwise), False


def _rating(content: bool, rng: random.Random) -> float | None:
    rates = rng.random() < (RATES_WHEN_SATISFIED if content else RATES_WHEN_NOT)
    if not rates:
        return None
    return 1.0 if content else 0.0


def _record_end(
    agent: SupportAgent, conversation: Conversation, result: ConversationResult
) -> None:
    identity = TurnIdentity(conversation_id=conversation.id, user_id=conversation.customer_id)
    last = result.turns[-1].span
    agent.instrumentation.emit(
        EVENT_CONVERSATION_CLOSED,
        last,
        {
            "gen_ai.conversation.id": identity.conversation_id,
            "user.id": identity.user_id,
            "support.conversation.turns": len(result.turns),
        },
    )
    if result.rating is not None:
        agent.instrumentation.record_feedback(identity, last, score=result.rating)
