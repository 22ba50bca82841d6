"""The agent's configuration files, and the pure helpers around them."""

import pytest
from pydantic import ValidationError

from spanloop.examples.support_agent.configuration import load_configuration, parse_configuration
from spanloop.examples.support_agent.conversations import load_conversations
from spanloop.examples.support_agent.messages import Message, ToolCall, to_chat, to_parts
from spanloop.examples.support_agent.model import ModelSettings, parse_completion
from spanloop.examples.support_agent.toolbox import TOOLS


def test_variants_differ_only_in_the_planted_faults() -> None:
    broken, repaired = load_configuration("production"), load_configuration("repaired")
    names = set(broken.components) | set(repaired.components)
    changed = {n for n in names if broken.components.get(n) != repaired.components.get(n)}
    assert changed == {
        "instructions",
        "context.refunds",
        "tool.search_orders.description",
        "tool.lookup_order.description",
    }
    assert broken.tools == repaired.tools
    assert broken.parameters == repaired.parameters
    assert set(broken.tools) == {tool.name for tool in TOOLS}


def test_prompt_has_instructions_contexts_and_guidance_of_offered_tools() -> None:
    configuration = load_configuration().with_components(
        {"tool.hand_over.guidance": "Sparingly.", "context.delivery": None}, version="2.0.0"
    )
    prompt = configuration.system_prompt()
    assert prompt.startswith("You are the customer-support agent")
    assert "## Shop\nNorthlight" in prompt
    assert "## Tool: hand_over\nSparingly." in prompt
    assert "## Delivery" not in prompt
    assert configuration.version == "2.0.0"


@pytest.mark.parametrize(
    "text",
    [
        "description: d\nversion: '1'\ncomponents: {}\ntools: {}",
        "description: d\nversion: '1'\ncomponents: {instructions: i, tool.x: y}\ntools: {}",
        "description: d\nversion: '1'\ncomponents: {instructions: i}\ntools: {}\ntypo: 1",
    ],
)
def test_a_wrong_configuration_is_refused(text: str) -> None:
    with pytest.raises(ValidationError):
        parse_configuration(text)


def test_conversation_scripts_are_many_and_named_apart() -> None:
    scripts = load_conversations()
    assert len(scripts) >= 24
    assert len({script.name for script in scripts}) == len(scripts)


def test_messages_take_both_wire_forms() -> None:
    call = ToolCall(id="c1", name="lookup_order", arguments='{"order_id": "ORD-1001"}')
    asked = Message(role="assistant", tool_calls=(call,))
    told = Message(role="tool", content='{"status": "shipped"}', tool_call_id="c1")
    assert to_chat(asked)["tool_calls"][0]["function"]["name"] == "lookup_order"
    assert to_parts(asked)["parts"][0]["arguments"] == {"order_id": "ORD-1001"}
    assert to_parts(told)["parts"][0]["response"] == {"status": "shipped"}
    assert to_parts(Message(role="user", content="hi")) == {
        "role": "user",
        "parts": [{"type": "text", "content": "hi"}],
    }


def test_provider_names_follow_the_convention() -> None:
    assert ModelSettings(model="gemini/gemini-3-pro").provider == "gcp.gemini"
    assert ModelSettings(model="anthropic/claude").provider == "anthropic"
    assert ModelSettings(model="gpt-5").provider == "openai"
    local = ModelSettings(model="openai/m", api_base="http://127.0.0.1:8000/v1", api_key="secret")
    assert (local.request_model, local.server) == ("m", ("127.0.0.1", 8000))
    assert "secret" not in repr(local)


def test_what_a_model_does_not_say_stays_unknown() -> None:
    completion = parse_completion({"choices": [{"message": {"content": "hi"}}], "usage": None})
    assert completion.message.content == "hi"
    assert completion.input_tokens is None
    assert completion.finish_reason is None


def test_the_second_shop_is_another_agent_with_the_same_faults() -> None:
    production, second = load_configuration(), load_configuration("second_shop")
    assert second.name != production.name
    assert second.tools == production.tools
    assert not set(second.components["instructions"].splitlines()) & set(
        production.components["instructions"].splitlines()
    )
    assert "30 days" not in second.system_prompt()
