"""Symptoms of the changed trajectories: what looks wrong where, before any outcome is seen.

Chunk by chunk, statements derive what they ask of a step (``symptom_steps``), note what they find
(``symptom_findings``), and the findings replace the symptoms that a trajectory had. What peers usually do is
learnt once, from a bounded sample of trajectories of the same project and agent.
"""

from dataclasses import dataclass

from spanloop.optimizer.context import ALL_TIME_MS, Context
from spanloop.optimizer.symptoms.phrases import ASSENTS, DENIES, NAMES, PATTERNS
from spanloop.optimizer.symptoms.tool_names import CHANGES, READS

PEERS_A_SCOPE = 2_000
"""Trajectories of one project and agent that calls are compared with."""

OTHERS = 3
"""Peers below which nothing is called usual."""

TRAJECTORIES_A_CHUNK = 10_000
"""At most; steps with their words are held in memory."""

FINDERS: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("insert_call_findings", ("others",)),
    ("insert_repetition_findings", ()),
    ("insert_grounding_findings", ()),
    ("insert_claim_findings", ()),
    ("insert_quantity_findings", ()),
    ("insert_peer_findings", ("others",)),
    ("insert_ending_findings", ()),
    ("insert_dialogue_findings", ()),
)
"""Statements that note findings from the steps of a chunk, and the parameters that each takes."""


_PARAMETERS = {"others": OTHERS}
_TOOLS = {"reads": list(READS), "changes": list(CHANGES)}


@dataclass(frozen=True, slots=True, kw_only=True)
class SymptomResult:
    """What the stage did.

    Attributes:
        trajectories: that were looked at.
        symptoms: rows that stand after it, of those trajectories.
    """

    trajectories: int
    symptoms: int


def learn_peers(context: Context, *, until_ms: int = ALL_TIME_MS) -> None:
    """Learn what peers usually do, from trajectories that ended by ``until_ms`` (Unix milliseconds)."""
    context.run("symptoms/create_peers", {"a_scope": PEERS_A_SCOPE, "until": until_ms})
    context.run("symptoms/create_tools")
    context.run("symptoms/create_look_ups", _TOOLS)


def find_symptoms(context: Context, *, peers_known: bool = False) -> SymptomResult:
    """Replace the symptoms of the changed trajectories by those that they show now.

    ``peers_known``: compare with what `learn_peers` learned last, not with what peers do by now.
    """
    phrases = {
        "names": list(NAMES),
        "patterns": list(PATTERNS),
        "assents": list(ASSENTS),
        "denies": list(DENIES),
    }
    size = min(context.limits.trajectories_a_chunk, TRAJECTORIES_A_CHUNK)
    chunks = context.rows("symptoms/select_chunks", {"trajectories": size})
    total = sum(int(row[2]) for row in chunks)
    context.progress.stage("symptoms", total)
    if total and not peers_known:
        learn_peers(context)
    for first, last, n in chunks:
        context.run("symptoms/create_steps")
        context.run("symptoms/create_findings")
        context.run("symptoms/insert_steps", {"first": first, "last": last, **phrases, **_TOOLS})
        for finder, names in FINDERS:
            context.run(f"symptoms/{finder}", {name: _PARAMETERS[name] for name in names})
        context.run("symptoms/insert_symptoms", {"version": context.now_ms})
        context.progress.advance(int(n))
    context.run("symptoms/insert_gone", {"version": context.now_ms})
    rows = context.rows("symptoms/count_symptoms", {"version": context.now_ms})
    for table in ("create_steps", "create_findings"):
        context.run(f"symptoms/{table}")
    return SymptomResult(trajectories=total, symptoms=int(rows[0][0]))
