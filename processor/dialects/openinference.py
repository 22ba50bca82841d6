"""OpenInference (section 2.2; openinference-semantic-conventions 0.1.42)."""

from spanloop.processor.rules import Dialect, Envelope, inside, only

PARAMETERS = "llm.invocation_parameters"

OPENINFERENCE = Dialect(
    name="openinference",
    scopes=("openinference",),
    scope_prefixes=("openinference.instrumentation.", "@arizeai/openinference-"),
    markers=(
        "openinference.span",
        "llm.model_name",
        "llm.input_messages",
        "llm.output_messages",
        "llm.token_count",
        "llm.invocation_parameters",
        "llm.provider",
        "llm.tools",
        "llm.prompts",
        "llm.choices",
        "embedding.model_name",
        "embedding.embeddings",
        "retrieval.documents",
        "reranker.query",
        "reranker.model_name",
        "reranker.input_documents",
        "reranker.output_documents",
    ),
    columns={
        "Operation": ("openinference.span.kind",),
        "Provider": ("llm.provider", "llm.system"),
        "ProviderSystem": ("llm.system",),
        # llm.model_name is ambiguous; several instrumentations fill it from the response.
        "RequestModel": (
            "llm.request.model_name",
            "llm.model_name",
            "embedding.model_name",
            "reranker.model_name",
        ),
        "ResponseModel": ("llm.response.model_name",),
        "AgentName": ("agent.name", only("agent", "graph.node.id")),
        "ToolName": ("tool.name",),
        "ToolCallId": ("tool_call.id", "tool.id"),
        "InputTokens": ("llm.token_count.prompt",),
        "OutputTokens": ("llm.token_count.completion",),
        "CacheReadTokens": ("llm.token_count.prompt_details.cache_read",),
        "CacheWriteTokens": ("llm.token_count.prompt_details.cache_write",),
        "ReasoningTokens": ("llm.token_count.completion_details.reasoning",),
        "TotalTokens": ("llm.token_count.total",),
        "ReportedCost": ("llm.cost.total",),
        "FinishReasons": ("llm.finish_reason",),
        "StopSequences": (inside(PARAMETERS, "stop"),),
        "ErrorType": ("exception.type",),
        "Temperature": (inside(PARAMETERS, "temperature"),),
        "TopP": (inside(PARAMETERS, "top_p"),),
        "TopK": ("reranker.top_k", inside(PARAMETERS, "top_k")),
        "MaxTokens": (
            inside(PARAMETERS, "max_tokens"),
            inside(PARAMETERS, "max_completion_tokens"),
        ),
        "FrequencyPenalty": (inside(PARAMETERS, "frequency_penalty"),),
        "PresencePenalty": (inside(PARAMETERS, "presence_penalty"),),
        "Seed": (inside(PARAMETERS, "seed"),),
        "ChoiceCount": (inside(PARAMETERS, "n"),),
        "PromptName": ("prompt.id",),
        "PromptVersion": ("llm.prompt_template.version",),
        "InputMessages": ("llm.input_messages",),
        "OutputMessages": ("llm.output_messages",),
        "ToolDefinitions": ("llm.tools",),
        "ToolArguments": (only("tool", "input.value"),),
        "ToolResult": (only("tool", "output.value"),),
        "RetrievalQuery": ("reranker.query", only("retrieval", "input.value")),
        "RetrievalDocuments": ("retrieval.documents", "reranker.output_documents"),
        "Input": ("input.value",),
        "Output": ("output.value",),
    },
    classes={
        "openinference.span.kind": {
            "llm": "llm",
            "embedding": "embedding",
            "retriever": "retrieval",
            "reranker": "rerank",
            "tool": "tool",
            "agent": "agent",
            # Not invoke_agent, as the Collector's normaliser has it: that inflates the count of agents.
            "chain": "step",
            "prompt": "step",
            "decision": "step",
            "guardrail": "guardrail",
            "evaluator": "evaluation",
            "unknown": "other",
        }
    },
    presence={
        "tool.name": "tool",
        "embedding.model_name": "embedding",
        "reranker.query": "rerank",
        "reranker.model_name": "rerank",
        "llm.model_name": "llm",
        "llm.token_count.prompt": "llm",
        "llm.token_count.completion": "llm",
        "llm.input_messages": "llm",
        "llm.input_messages.0.message.role": "llm",
        "llm.output_messages.0.message.role": "llm",
    },
    indexed={
        "llm.input_messages.": "InputMessages",
        "llm.output_messages.": "OutputMessages",
        "llm.prompts.": "InputMessages",
        "llm.choices.": "OutputMessages",
        "llm.tools.": "ToolDefinitions",
        "retrieval.documents.": "RetrievalDocuments",
        "reranker.output_documents.": "RetrievalDocuments",
    },
    envelopes=(
        # A LangChain ToolMessage as the LangChain instrumentation dumps it.
        *(
            Envelope(
                column="ToolResult", keys=("output.value",), starts=starts, path=("data", "content")
            )
            for starts in ('{"type": "tool", "data": {', '{"type":"tool","data":{')
        ),
    ),
)
