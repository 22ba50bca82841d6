"""Plays a scenario under a configuration: tool world, users, targets."""

from spanloop.optimizer.replay.emission import EmissionFailed, Emitter, KeepingEmitter, OtlpEmitter
from spanloop.optimizer.replay.episode import EpisodeRequest, EpisodeResult, RunState, Target, Tier
from spanloop.optimizer.replay.http_target import HttpMapping, HttpTarget
from spanloop.optimizer.replay.model_user import model_user
from spanloop.optimizer.replay.playing import play_all
from spanloop.optimizer.replay.python_target import PythonTarget
from spanloop.optimizer.replay.recovery import recover
from spanloop.optimizer.replay.replay_target import ReplayTarget
from spanloop.optimizer.replay.stored_spans import StoredSpans, look_in
from spanloop.optimizer.replay.users import ScriptedUser, UserFactory, UserSimulator, scripted_user
from spanloop.optimizer.replay.world import Tape, ToolAnswer, ToolWorld

__all__ = [
    "EmissionFailed",
    "Emitter",
    "EpisodeRequest",
    "EpisodeResult",
    "HttpMapping",
    "HttpTarget",
    "KeepingEmitter",
    "OtlpEmitter",
    "PythonTarget",
    "ReplayTarget",
    "RunState",
    "ScriptedUser",
    "StoredSpans",
    "Tape",
    "Target",
    "Tier",
    "ToolAnswer",
    "ToolWorld",
    "UserFactory",
    "UserSimulator",
    "look_in",
    "model_user",
    "play_all",
    "recover",
    "scripted_user",
]
