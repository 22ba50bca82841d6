"""Spans become trajectories and their steps."""

from spanloop.optimizer.assembly.assemble import AssemblyResult, assemble

__all__ = ["AssemblyResult", "assemble"]
