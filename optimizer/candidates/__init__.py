"""Bounded edits of an agent's configuration: engines, scans, memory."""

from spanloop.optimizer.candidates.command_engine import CommandEngine, CommandSettings
from spanloop.optimizer.candidates.edits import (
    EditLimits,
    EditRefused,
    apply_edits,
    diff,
    edit_hash,
    edits_between,
)
from spanloop.optimizer.candidates.gepa_engine import GepaEngine, GepaSettings
from spanloop.optimizer.candidates.model_diff_engine import ModelDiffEngine
from spanloop.optimizer.candidates.observed import Observation, observe
from spanloop.optimizer.candidates.proposing import (
    ProposalRequest,
    ProposalResult,
    propose_candidates,
)
from spanloop.optimizer.candidates.scan import scan
from spanloop.optimizer.candidates.slots import fill_template, find_slots
from spanloop.optimizer.candidates.stored import (
    Candidate,
    decide_candidate,
    load_candidates,
    save_candidates,
)
from spanloop.optimizer.candidates.template_engine import TemplateEngine

__all__ = [
    "Candidate",
    "CommandEngine",
    "CommandSettings",
    "EditLimits",
    "EditRefused",
    "GepaEngine",
    "GepaSettings",
    "ModelDiffEngine",
    "Observation",
    "ProposalRequest",
    "ProposalResult",
    "TemplateEngine",
    "apply_edits",
    "decide_candidate",
    "diff",
    "edit_hash",
    "edits_between",
    "fill_template",
    "find_slots",
    "load_candidates",
    "observe",
    "propose_candidates",
    "save_candidates",
    "scan",
]
