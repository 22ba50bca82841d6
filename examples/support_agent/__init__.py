"""A small customer-support agent: real tools over an order database, really instrumented.

The parts: `configuration` (named text components, tools, parameters, from YAML), `database` and
`tools` (sqlite), `model` (litellm), `agent` (the tool loop), `instrumentation` and `telemetry`
(GenAI spans, events and metrics over OTLP gRPC), `conversations` and `traffic` (scripted users).
It imports nothing of the product but the one-file client: to spanloop it is just another agent.
`serving` puts it behind an HTTP door, under the configurations that spanloop serves.

Against the scripted model (no key, no network)::

    with start_scripted_model() as model:          # spanloop.examples.scripted_model
        summary = run_support_traffic(
            "http://127.0.0.1:4317", model_base_url=model.base_url, conversations=27
        )

Against a real model, with its key in the provider's environment variable::

    settings = ModelSettings(model="anthropic/claude-sonnet-4-5")
    run_agent_traffic(TelemetrySettings(), model=settings, plan=TrafficPlan(conversations=10))
"""

from spanloop.examples.support_agent.agent import Conversation, SupportAgent, Turn
from spanloop.examples.support_agent.configuration import (
    AgentConfiguration,
    load_configuration,
    parse_configuration,
)
from spanloop.examples.support_agent.database import OrderDatabase
from spanloop.examples.support_agent.model import LiteLLMModel, ModelSettings
from spanloop.examples.support_agent.telemetry import (
    ExportError,
    Telemetry,
    TelemetrySettings,
    set_up_telemetry,
)
from spanloop.examples.support_agent.traffic import (
    Progress,
    TrafficPlan,
    TrafficSummary,
    run_agent_traffic,
    run_support_traffic,
    run_traffic,
)

__all__ = [
    "AgentConfiguration",
    "Conversation",
    "ExportError",
    "LiteLLMModel",
    "ModelSettings",
    "OrderDatabase",
    "Progress",
    "SupportAgent",
    "Telemetry",
    "TelemetrySettings",
    "TrafficPlan",
    "TrafficSummary",
    "Turn",
    "load_configuration",
    "parse_configuration",
    "run_agent_traffic",
    "run_support_traffic",
    "run_traffic",
    "set_up_telemetry",
]
