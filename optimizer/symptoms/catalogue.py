"""The closed set of symptoms: what each is a sign of, and its codes in two published taxonomies.

MAST: Cemri et al. 2025, "Why do multi-agent LLM systems fail?", failure modes FM-1.1 to FM-3.3.
TRAIL: Deshpande et al. 2025, "TRAIL: trace reasoning and agentic issue localization", names of error types.
An empty code means that the taxonomy has no such mode.
"""

from typing import Literal, NamedTuple

Category = Literal[
    "context_gap",
    "tool_selection",
    "tool_arguments",
    "tool_failure_handling",
    "loop",
    "hallucination",
    "termination",
    "verification",
    "instruction_violation",
    "handoff",
    "environment",
]


class SymptomKind(NamedTuple):
    """One row of the catalogue.

    Attributes:
        category: of the failure that it is a sign of.
        mast: code of MAST.
        trail: error type of TRAIL.
        summary: what it says of a trajectory, in one sentence for people.
    """

    category: Category
    mast: str
    trail: str
    summary: str


SURE = 0.6
"""Weight from which a symptom is taken for a fault; below, it is a hint that natural runs show too."""

CATALOGUE: dict[str, SymptomKind] = {
    "tool_error": SymptomKind("environment", "", "Tool-related", "A tool answered with an error."),
    "ignored_error": SymptomKind(
        "tool_failure_handling",
        "FM-3.2",
        "Tool Output Misinterpretation",
        "A change failed, and the agent went on as if it had not.",
    ),
    "empty_result": SymptomKind(
        "tool_failure_handling",
        "",
        "Resource Not Found",
        "A tool answered nothing.",
    ),
    "missing_result": SymptomKind(
        "tool_failure_handling",
        "FM-1.4",
        "Context Handling Failures",
        "A call has no result, and the run goes on.",
    ),
    "wrong_tool_then_right": SymptomKind(
        "tool_selection", "", "Tool Selection Errors", "A call failed, and another tool did it."
    ),
    "unknown_tool": SymptomKind(
        "tool_selection",
        "FM-1.2",
        "Tool Definition Issues",
        "A tool was called that was not offered.",
    ),
    "invalid_arguments": SymptomKind(
        "tool_arguments",
        "FM-1.1",
        "Formatting Errors",
        "A call was given arguments that no peer gives, lacks those that all give, or is no JSON.",
    ),
    "fabricated_argument": SymptomKind(
        "tool_arguments",
        "FM-2.6",
        "Language-only Hallucination",
        "A call was given an identifier that nobody had told.",
    ),
    "argument_mismatch": SymptomKind(
        "tool_arguments",
        "FM-2.6",
        "Tool Output Misinterpretation",
        "A call is about another thing than its answer, or than the dialogue around it.",
    ),
    "ungrounded_claim": SymptomKind(
        "hallucination",
        "FM-3.3",
        "Language-only Hallucination",
        "An answer names an amount or a period that nothing told and no simple sum gives.",
    ),
    "missing_peer_step": SymptomKind(
        "verification",
        "FM-3.2",
        "Goal Deviation",
        "Something was changed without the look-up that peers make first.",
    ),
    "repeated_call": SymptomKind(
        "loop", "FM-1.3", "Resource Abuse", "The same call was made again."
    ),
    "loop": SymptomKind(
        "loop", "FM-1.3", "Resource Abuse", "The same thing was done or said over and over."
    ),
    "truncated_output": SymptomKind(
        "termination", "FM-3.1", "Formatting Errors", "A text ends inside a sentence."
    ),
    "premature_end": SymptomKind(
        "termination", "FM-3.1", "Task Orchestration", "The run ends after a promise of action."
    ),
    "unanswered_user": SymptomKind(
        "termination", "FM-3.1", "Task Orchestration", "The run ends with a request of the user."
    ),
    "context_near_limit": SymptomKind(
        "context_gap", "FM-1.4", "Context Handling Failures", "The model's context was full."
    ),
    "repeated_question": SymptomKind(
        "context_gap",
        "FM-1.4",
        "Context Handling Failures",
        "The agent asked again what it had asked.",
    ),
    "rephrased_request": SymptomKind(
        "context_gap", "FM-2.5", "Context Handling Failures", "The user had to ask again."
    ),
    "user_correction": SymptomKind(
        "instruction_violation",
        "FM-1.1",
        "Instruction Non-compliance",
        "The user corrected the agent.",
    ),
    "user_frustration": SymptomKind(
        "instruction_violation", "FM-2.5", "Instruction Non-compliance", "The user is frustrated."
    ),
    "refusal": SymptomKind(
        "instruction_violation", "", "Goal Deviation", "The agent declined to do it."
    ),
    "escalation": SymptomKind(
        "handoff", "", "Task Orchestration", "A person was asked for or called in."
    ),
    "handoff_ping_pong": SymptomKind(
        "handoff", "FM-2.3", "Task Orchestration", "Agents handed the work to and fro."
    ),
}
"""By name."""
