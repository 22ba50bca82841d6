"""Plays a scenario under a configuration: tool world, users, targets."""

from spanloop.optimizer.replay.emission import EmissionFailed, Emitter, KeepingEmitter, OtlpEmitter
from spanloop.optimizer.replay.episode import EpisodeRequest, EpisodeResult, RunState, Target, Tier
from spanloop.optimizer.replay.playing import play_all
from spanloop.optimizer.replay.replay_target import ReplayTarget
from spanloop.optimizer.replay.users import ScriptedUser, UserFactory, UserSimulator, scripted_user
from spanloop.optimizer.replay.world import Tape, ToolAnswer, ToolWorld

__all__ = [
    "EmissionFailed",
    "Emitter",
    "EpisodeRequest",
    "EpisodeResult",
    "KeepingEmitter",
    "OtlpEmitter",
    "ReplayTarget",
    "RunState",
    "ScriptedUser",
    "Tape",
    "Target",
    "Tier",
    "ToolAnswer",
    "ToolWorld",
    "UserFactory",
    "UserSimulator",
    "play_all",
    "scripted_user",
]
