"""Feedback and labels given by command: through the server that owns the store, or into it if none does."""

import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar

from clickhouse_connect.driver.client import Client

from spanloop.exporter.migrate import migrate
from spanloop.exporter.render import Renderer
from spanloop.exporter.store import with_client
from spanloop.optimizer.context import Context, unix_ms
from spanloop.optimizer.feedback import record_feedback
from spanloop.optimizer.feedback.samples import (
    Draw,
    draw_sample,
    next_to_label,
    sample_status,
    set_label,
)
from spanloop.processor.errors import PermanentError
from spanloop.processor.feedback import Feedback, parse_feedback
from spanloop.processor.redaction import redact
from spanloop.receiver.feedback import accept_feedback
from spanloop.receiver.intake import Intake
from spanloop.service.admin_calls import call
from spanloop.service.config import Settings
from spanloop.service.owning import admin_socket, need_store, owned_store
from spanloop.service.stores import make_renderer

Arguments = Mapping[str, Any]
T = TypeVar("T")


def _draw(context: Context, arguments: Arguments) -> object:
    return draw_sample(context, Draw(**arguments))


def _next(context: Context, arguments: Arguments) -> object:
    return next_to_label(context, **arguments)


def _set(context: Context, arguments: Arguments) -> object:
    return set_label(context, arguments["name"], arguments["verdict"], **arguments["said"])


def _status(context: Context, _: Arguments) -> object:
    return sample_status(context)


LABEL_ACTIONS: Mapping[str, Callable[[Context, Arguments], object]] = {
    "draw": _draw,
    "next": _next,
    "set": _set,
    "status": _status,
}
"""What `label` can be asked to do; arguments and answers are JSON types."""


def label_in_store(client: Client, renderer: Renderer, arguments: Arguments) -> object:
    """Do what ``arguments`` ask (``does``) on a store that this process owns."""
    now_ms = unix_ms()
    seed = arguments.get("seed")
    context = Context(
        client=client, renderer=renderer, now_ms=now_ms, seed=now_ms if seed is None else int(seed)
    )
    return LABEL_ACTIONS[arguments["does"]](context, arguments.get("arguments", {}))


def label(settings: Settings, action: str, *, seed: int | None = None, **arguments: object) -> Any:
    """Do ``action`` wherever the store is owned; by default chance is seeded by the time."""
    asked = {"does": action, "seed": seed, "arguments": arguments}
    socket = admin_socket(settings)
    if socket is not None:
        return call(socket, "label", **asked)
    return _with_store(settings, lambda client, r: label_in_store(client, r, asked))


async def feedback_to_intake(intake: Intake, arguments: Arguments) -> object:
    """Log the feedback in ``arguments`` durably, as `POST /v1/feedback` does."""
    items = parse_feedback(arguments["items"])
    ids = await accept_feedback(intake, items, str(arguments["project"]), now_ns=time.time_ns())
    return {"ids": ids}


def give_feedback(settings: Settings, items: Sequence[Feedback]) -> Sequence[str]:
    """Store ``items``: through a running server's log, else as assessments; return their ids."""
    socket = admin_socket(settings)
    if socket is not None:
        told = [item.model_dump(mode="json", exclude_none=True) for item in items]
        answer = call(socket, "feedback", items=told, project=settings.project)
        ids: Sequence[str] = answer["ids"]
        return ids
    as_stored = redact if settings.redact_before_storage else str

    def store_it(client: Client, renderer: Renderer) -> Sequence[str]:
        context = Context(client=client, renderer=renderer, now_ms=unix_ms())
        return record_feedback(context, items, settings.project, redact=as_stored)

    return _with_store(settings, store_it)


def _with_store(settings: Settings, work: Callable[[Client, Renderer], T]) -> T:
    need_store(settings)
    renderer = make_renderer(settings)
    with owned_store(settings) as store:

        def current(client: Client) -> T:
            migrate(client, renderer)
            return work(client, renderer)

        return with_client(store, current)


def feedback_from(target: str, said: Mapping[str, Any]) -> Feedback:
    """Return feedback about ``target``, a trace id (32 hex characters) or else a conversation id.

    Raises:
        InvalidRequest: a value of ``said`` cannot be accepted.
        PermanentError: ``target`` is empty.
    """
    if not target:
        raise PermanentError("name a trace or a conversation")
    is_trace = len(target) == 32 and not set(target.lower()) - set("0123456789abcdef")
    key = "trace_id" if is_trace else "conversation_id"
    (item,) = parse_feedback({key: target, **{k: v for k, v in said.items() if v is not None}})
    return item
