"""Provider names, aliased to those of the GenAI conventions (sections 1.3, 1.7, 2.2, 2.3)."""

from collections.abc import Mapping

ALIASES: Mapping[str, str] = {
    "vertex_ai": "gcp.vertex_ai",
    "vertexai": "gcp.vertex_ai",
    "vertex": "gcp.vertex_ai",
    "google.vertex": "gcp.vertex_ai",
    "google.vertex.chat": "gcp.vertex_ai",
    "google_vertexai": "gcp.vertex_ai",
    "google-vertex": "gcp.vertex_ai",
    "gemini": "gcp.gemini",
    "google_genai": "gcp.gemini",
    "google-gla": "gcp.gemini",
    "google.generative-ai": "gcp.gemini",
    "google": "gcp.gen_ai",
    "az.ai.openai": "azure.ai.openai",
    "azure_openai": "azure.ai.openai",
    "azure-openai": "azure.ai.openai",
    "azure.chat": "azure.ai.openai",
    "azure-openai.chat": "azure.ai.openai",
    "azure.responses": "azure.ai.openai",
    "azure": "azure.ai.inference",
    "az.ai.inference": "azure.ai.inference",
    "azure_ai": "azure.ai.inference",
    "aws": "aws.bedrock",
    "bedrock": "aws.bedrock",
    "aws_bedrock": "aws.bedrock",
    "amazon-bedrock": "aws.bedrock",
    "bedrock_converse": "aws.bedrock",
    "xai": "x_ai",
    "xai.chat": "x_ai",
    "x-ai": "x_ai",
    "mistralai": "mistral_ai",
    "mistral": "mistral_ai",
    "mistral.chat": "mistral_ai",
    "moonshot": "moonshot_ai",
    "moonshotai": "moonshot_ai",
    "watsonx": "ibm.watsonx.ai",
    "ibm": "ibm.watsonx.ai",
    "openai.chat": "openai",
    "openai.responses": "openai",
    "openai.completion": "openai",
    "openai.embedding": "openai",
    "anthropic.messages": "anthropic",
    "cohere.chat": "cohere",
    "deepseek.chat": "deepseek",
    "groq.chat": "groq",
    "perplexity.chat": "perplexity",
}
"""Lower-case name on the wire → canonical provider. A name that is not here is kept, in lower case."""

WITH_SYSTEM: Mapping[str, str] = {
    "azure+openai": "azure.ai.openai",
    "google+vertexai": "gcp.vertex_ai",
    "google+vertex_ai": "gcp.vertex_ai",
}
"""OpenInference's ``llm.provider`` + ``llm.system`` → canonical provider, where the pair says more."""

FRAMEWORKS: frozenset[str] = frozenset(
    {
        "langchain",
        "langgraph",
        "llamaindex",
        "llama_index",
        "crewai",
        "strands-agents",
        "strands",
        "gcp.vertex.agent",
        "pydantic-ai",
        "pydantic_ai",
        "openai_agents",
        "openai-agents",
        "autogen",
        "haystack",
        "agno",
        "smolagents",
        "semantic_kernel",
        "microsoft.agent_framework",
        "mcp",
        "litellm",
        "unknown",
        "other",
    }
)
"""A framework's name is not a provider (sections 2.3, 2.4): it becomes ''."""
