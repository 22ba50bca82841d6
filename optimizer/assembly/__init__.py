"""Spans become trajectories and their steps."""

from spanloop.optimizer.assembly.assemble import AssemblyResult, assemble, assemble_runs

__all__ = ["AssemblyResult", "assemble", "assemble_runs"]
