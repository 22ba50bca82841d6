"""Plants one fault of a kind in a recorded run that went well. Imports nothing of the product.

Written before the detectors, and not to be changed to please them. Step and target are drawn by seed. Values
come from the same run: another id that is valid in it, another tool that it used, a number near one that was
told. Later histories are rewritten to agree, as if the fault had happened.

What each kind does, and its forms (drawn by seed among those that the run allows):

- ``dropped_tool_result``: a result is lost (``missing``: no answer in the history, none on the span) or comes
  back empty (``empty``); the conversation goes on as it did.
- ``swapped_tool``: a call goes to another tool of the run, with the arguments it had; what that tool answered
  elsewhere in the run comes back. Only between tools whose argument names differ.
- ``corrupted_argument``: an id in a call becomes another id of the same form that the run had seen before.
  ``answer_kept``: the tool's answer still names the first one; ``answer_follows``: the answer names the other
  one, while the texts just before and after the call name the first.
- ``repeated_call``: the agent asks again for what it was just told, with the same arguments; same answer.
- ``truncated_answer``: a text of the agent ends inside a sentence; finish reason ``length`` or as before.
- ``ungrounded_claim``: an amount in an answer, told by a tool or the user before, becomes another of the same
  size that nothing in the run tells.
- ``missing_verification``: every look-up of a record before the first change to it is gone, with its results.
- ``early_stop``: the run ends before its last change: after the agent's promise (``promised``), or after the
  user's words that called for it (``unanswered``).
- ``ignored_error``: a change fails, and the conversation goes on as if it had not.
"""

import hashlib
import json
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.trace.v1.trace_pb2 import Status

from benchmarks.truth import targets
from benchmarks.truth.recorded import (
    CALL_ID,
    INPUT,
    OUTPUT,
    RESULT,
    TOOL_NAME,
    Item,
    Message,
    Recorded,
    Run,
)
from benchmarks.truth.targets import ID, Call

CHANGES = re.compile(
    r"^(cancel|update|modify|change|book|create|delete|remove|return|exchange|send|set|add|pay|refund|make|reset"
    r"|enable|disable|toggle|resume|suspend|submit|post|write|insert|place|apply)(_|$)"
)
"""Tools whose names begin like this change something; a prior of the benchmark, not of the product."""

SENTENCE_CHARS = 80
"""A text shorter than this is not cut."""

MINIMUM_AMOUNT = 20
"""Smaller amounts are not falsified: they are told by chance."""

FAILED = Status.STATUS_CODE_ERROR


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """What was planted where.

    Attributes:
        kind: one of `KINDS`.
        form: which form of it.
        key: of the run: conversation id, else trace id.
        trace_id: of the faulty step.
        span_ids: spans that tell the faulty step; any of them is the right answer.
        call_id: of the faulty call; '' where the step is a text.
        text: the faulty text; '' where the step is a call.
        detail: what was changed, for a reader.
    """

    kind: str
    form: str
    key: str
    trace_id: str
    span_ids: tuple[str, ...]
    call_id: str
    text: str
    detail: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Injection:
    """A faulty run.

    Attributes:
        requests: the run with the fault.
        fault: the truth.
    """

    requests: list[ExportTraceServiceRequest]
    fault: Fault


def inject(
    requests: Sequence[ExportTraceServiceRequest], kind: str, *, seed: int
) -> Injection | None:
    """Return the run with one fault of ``kind`` planted, None where it holds no place for one.

    The same requests, kind and seed give the same bytes.
    """
    run = Run(requests)
    digest = hashlib.sha256(f"{run.key}/{kind}".encode()).digest()
    rng = np.random.default_rng([seed, int.from_bytes(digest[:8], "big")])
    fault = KINDS[kind](run, rng)
    return None if fault is None else Injection(requests=run.requests(), fault=fault)


def _dropped_tool_result(run: Run, rng: np.random.Generator) -> Fault | None:
    calls = [c for c in targets.answered(run) if c.tool.text(RESULT)]
    if not calls:
        return None
    call = calls[rng.integers(len(calls))]
    form = ("missing", "empty")[rng.integers(2)]
    if form == "empty":
        targets.answer(run, call, "")
    else:
        run.rewrite(lambda p: None if targets.responds(p, call.id) else p)
        call.tool.drop(RESULT)
    return _at_call(run, "dropped_tool_result", form, call=call, detail=call.name)


def _swapped_tool(run: Run, rng: np.random.Generator) -> Fault | None:
    calls = targets.answered(run)
    pairs = [
        (call, other)
        for call, other in targets.each(calls)
        if call.name != other.name
        and call.arguments
        and set(call.arguments) != set(other.arguments)
    ]
    if not pairs:
        return None
    call, other = pairs[rng.integers(len(pairs))]
    run.rewrite(lambda p: {**p, "name": other.name} if targets.asks(p, call.id) else p)
    call.tool.put(TOOL_NAME, other.name)
    call.tool.span.name = call.tool.span.name.replace(call.name, other.name)
    targets.answer(run, call, other.tool.text(RESULT))
    detail = f"{call.name} -> {other.name}"
    return _at_call(run, "swapped_tool", "other_arguments", call=call, detail=detail)


def _corrupted_argument(run: Run, rng: np.random.Generator) -> Fault | None:
    places = sorted(_exchangeable(run), key=lambda t: (t[3], t[0].id, t[1]))
    if not places:
        return None
    forms = sorted({place[3] for place in places})
    form = forms[rng.integers(len(forms))]
    places = [place for place in places if place[3] == form]
    call, value, others, _ = places[rng.integers(len(places))]
    other = others[rng.integers(len(others))]
    targets.argue(run, call, targets.replaced(call.arguments, value, other))
    if form == "answer_follows":
        targets.answer(run, call, call.tool.text(RESULT).replace(value, other))
    return _at_call(run, "corrupted_argument", form, call=call, detail=f"{value} -> {other}")


def _exchangeable(run: Run) -> list[tuple[Call, str, list[str], str]]:
    """Return (call, id among its arguments, other ids of that form known by then, form of the fault)."""
    places: list[tuple[Call, str, list[str], str]] = []
    for call in targets.answered(run):
        before, after = targets.around(run, call)
        known = targets.ids_in(targets.told_before(run, call))
        own = set(targets.values(call.arguments))
        for value in {v for v in own if ID.match(v)}:
            form = targets.form_of(value)
            others = sorted(w for w in known - own if targets.form_of(w) == form)
            if not others:
                continue
            if value in call.tool.text(RESULT):
                silent = [w for w in others if w not in call.tool.text(RESULT)]
                places += [(call, value, silent, "answer_kept")] if silent else []
            if CHANGES.match(call.name) and value in before and value in after:
                unnamed = [w for w in others if w not in before and w not in after]
                places += [(call, value, unnamed, "answer_follows")] if unnamed else []
    return places


def _repeated_call(run: Run, rng: np.random.Generator) -> Fault | None:
    asked = [(c, p) for c in targets.answered(run) if (p := targets.only_call(c)) is not None]
    if not asked:
        return None
    call, ask = asked[rng.integers(len(asked))]
    again = {**ask, "id": "call_" + hashlib.sha256(call.id.encode()).hexdigest()[:24]}
    chat, tool = run.copy(call.chat, "again"), run.copy(call.tool, "again")
    chat.messages[OUTPUT] = [{**chat.messages[OUTPUT][0], "parts": [again]}]
    tool.put(CALL_ID, again["id"])
    end = max(call.tool.span.end_time_unix_nano, call.chat.span.end_time_unix_nano)
    later = [s for s in run.spans if s.start >= end and s not in (call.chat, call.tool)]
    for copied in (chat, tool):
        lasted = copied.span.end_time_unix_nano - copied.start
        copied.span.start_time_unix_nano, copied.span.end_time_unix_nano = end, end + lasted
        end += lasted + 1
    run.postpone(later, end)
    heard: Message = {
        "role": "tool",
        "parts": [
            {"type": "tool_call_response", "id": call.id, "response": call.tool.text(RESULT)}
        ],
    }
    if targets.repeat_in_histories(run, call, again):
        asked_before: Message = {"role": "assistant", "parts": [ask]}
        chat.messages[INPUT] = [*chat.messages.get(INPUT, []), asked_before, heard]
    else:
        chat.messages[INPUT] = [heard]
    run.spans += [chat, tool]
    run.sort()
    repeated = Call(chat=chat, tool=tool, id=again["id"], name=call.name, arguments=call.arguments)
    return _at_call(run, "repeated_call", "at_once", call=repeated, detail=call.name)


def _truncated_answer(run: Run, rng: np.random.Generator) -> Fault | None:
    said = [i for i in targets.said_once(run) if len(i.text) >= SENTENCE_CHARS]
    said = [i for i in said if targets.cuts(i.text)]
    if not said:
        return None
    item = said[rng.integers(len(said))]
    cuts = targets.cuts(item.text)
    text = item.text[: cuts[rng.integers(len(cuts))]]
    form = ("length", "silent")[rng.integers(2)]
    run.rewrite_text(item.text, text)
    if form == "length":
        targets.finish(item.span, "length")
    return _at_text(run, "truncated_answer", form, span=item.span, text=text)


def _ungrounded_claim(run: Run, rng: np.random.Generator) -> Fault | None:
    places: list[tuple[Item, str]] = []
    for item in targets.said_once(run):
        earlier = targets.numbers(targets.told_before(run, item))
        amounts = targets.AMOUNT.findall(item.text)
        places += [(item, a) for a in amounts if targets.number(a) in earlier]
    places = [(item, a) for item, a in places if targets.number(a) >= MINIMUM_AMOUNT]
    if not places:
        return None
    item, amount = places[rng.integers(len(places))]
    told = targets.numbers(targets.everything(run))
    claims = [targets.nearby(amount, rng) for _ in range(50)]
    claims = [claim for claim in claims if targets.number(claim) not in told]
    if not claims:
        return None
    exact = rf"(?<![\w.,]){re.escape(amount)}(?!\w|[.,]\d)"
    text = re.sub(exact, lambda _: claims[0], item.text)
    run.rewrite_text(item.text, text)
    detail = f"{amount} -> {claims[0]}"
    return _at_text(run, "ungrounded_claim", "amount", span=item.span, text=text, detail=detail)


def _missing_verification(run: Run, rng: np.random.Generator) -> Fault | None:
    calls = targets.answered(run)
    places: list[tuple[Call, list[Call]]] = []
    changed: set[str] = set()
    for at, call in enumerate(calls):
        if not CHANGES.match(call.name):
            continue
        ids = {v for v in targets.values(call.arguments) if ID.match(v)} - changed
        changed |= ids
        looks = [c for c in calls[:at] if _looks_up(c, ids)]
        same = [c for c in looks if (c.name, c.arguments) == (looks[-1].name, looks[-1].arguments)]
        places += [(call, same)] if same else []
    if not places:
        return None
    call, looks = places[rng.integers(len(places))]
    gone = {c.id for c in looks}
    run.rewrite(lambda p: None if "call" in p["type"] and p.get("id") in gone else p)
    run.spans = [
        s
        for s in run.spans
        if s.text(CALL_ID) not in gone and (s.operation != "chat" or s.messages.get(OUTPUT))
    ]
    detail = f"{looks[0].name} before {call.name}"
    return _at_call(run, "missing_verification", "look_up", call=call, detail=detail)


def _looks_up(call: Call, ids: set[str]) -> bool:
    """Whether ``call`` reads one record among ``ids`` and nothing else."""
    values = targets.values(call.arguments)
    return not CHANGES.match(call.name) and len(values) == 1 and values[0] in ids


def _early_stop(run: Run, rng: np.random.Generator) -> Fault | None:
    calls = [c for c in targets.answered(run) if CHANGES.match(c.name)]
    if not calls:
        return None
    call = calls[-1]
    promise = targets.spoken(call.chat)
    forms = ["promised"] if promise else []
    wanted = targets.wanted_by(run, call)
    forms += ["unanswered"] if wanted and run.enclosing(call.chat) else []
    if not forms:
        return None
    form = forms[rng.integers(len(forms))]
    targets.end_before(run, call, promise=promise[-1] if form == "promised" else "", wanted=wanted)
    last = [i for i in run.items() if i.kind in ("user", "assistant")][-1]
    detail = f"before {call.name}"
    return _at_text(run, "early_stop", form, span=last.span, text=last.text, detail=detail)


def _ignored_error(run: Run, rng: np.random.Generator) -> Fault | None:
    calls = targets.answered(run)
    places = [
        call
        for at, call in enumerate(calls)
        if CHANGES.match(call.name)
        and call.tool.span.status.code != FAILED
        and call.arguments
        and call.name not in [c.name for c in calls[at + 1 : at + 2]]
        and targets.around(run, call)[1]
    ]
    if not places:
        return None
    call = places[rng.integers(len(places))]
    key = sorted(call.arguments)[0]
    heard = [c.tool.text(RESULT) for c in calls if c.tool.span.status.code == FAILED]
    words = heard or [
        f"Error: {key} {json.dumps(call.arguments[key])} not found",
        f"Error: invalid {key}",
    ]
    targets.answer(run, call, words[rng.integers(len(words))])
    call.tool.span.status.code = FAILED
    call.tool.put("error.type", "tool_error")
    return _at_call(run, "ignored_error", "change", call=call, detail=call.name)


KINDS: dict[str, Callable[[Run, np.random.Generator], Fault | None]] = {
    "dropped_tool_result": _dropped_tool_result,
    "swapped_tool": _swapped_tool,
    "corrupted_argument": _corrupted_argument,
    "repeated_call": _repeated_call,
    "truncated_answer": _truncated_answer,
    "ungrounded_claim": _ungrounded_claim,
    "missing_verification": _missing_verification,
    "early_stop": _early_stop,
    "ignored_error": _ignored_error,
}
"""The kinds, and what plants them."""


def _at_call(run: Run, kind: str, form: str, *, call: Call, detail: str) -> Fault:
    return Fault(
        kind=kind,
        form=form,
        key=run.key,
        trace_id=call.tool.trace,
        span_ids=(call.tool.id, call.chat.id),
        call_id=call.id,
        text="",
        detail=detail,
    )


def _at_text(
    run: Run, kind: str, form: str, *, span: Recorded, text: str, detail: str = ""
) -> Fault:
    return Fault(
        kind=kind,
        form=form,
        key=run.key,
        trace_id=span.trace,
        span_ids=(span.id,),
        call_id="",
        text=text,
        detail=detail,
    )
