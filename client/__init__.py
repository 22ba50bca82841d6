"""Run an agent under configurations that spanloop serves. One file that needs nothing: copy it if you like.

::

    client = ConfigClient("http://spanloop:4318", "support-agent", token="…", default=PACKAGED)
    tracer_provider.add_span_processor(client.span_processor())

    with client.conversation(conversation_id) as assigned:
        agent = build_agent(assigned.configuration)     # components, tools, parameters
        agent.reply(question)                           # its spans carry spanloop.release.id

What an agent may rely on:

- Nothing raises into it, apart from a `ConfigClient` made with an address that is none.
- Nothing waits, but for the first answer (with a ``cache_file`` too: what it holds may be old) and for a
  configuration under test: ``timeout_s`` at most.
- A conversation keeps the release that it began with while that is served: in every process, because who
  gets a canary is a hash of its id; in this process also when shares change meanwhile.
- While the server is away, the last known document stays, over a restart too with ``cache_file``. Before any
  was seen, and where the server has none for the agent (then the file goes too), it is ``default``.

An experiment plays test episodes against the running agent: W3C baggage names a run (``spanloop.run.id``) and
a configuration (``spanloop.configuration``, its hash), which is fetched and used for that request alone, and
both are stamped on its spans. Whoever can set baggage could choose among your configurations, and take their
own conversations out of your statistics: turn `Options.accept_runs` on only where callers are trusted.

Source of the wire format: docs/releases.md. Works without OpenTelemetry: then nothing is stamped.
"""

import contextlib
import copy
import hashlib
import http.client
import importlib
import json
import logging
import os
import random
import ssl
import threading
import time
import urllib.error
import urllib.parse
import urllib.request
from collections import OrderedDict
from collections.abc import Callable, Generator, Mapping
from contextvars import ContextVar
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

__all__ = ["Assigned", "ConfigClient", "Options", "ReleaseSpanProcessor", "configuration_hash"]

logger = logging.getLogger("spanloop.client")

RELEASE_ID = "spanloop.release.id"
RUN_ID = "spanloop.run.id"
CONFIGURATION = "spanloop.configuration"

MAX_BODY_BYTES = 32 * 1024 * 1024
MAX_PAUSE_S = 300.0  # between two attempts while the server is away
MAX_CONVERSATIONS = 10_000  # whose release is remembered
MAX_TESTED = 64  # configurations under test that are kept

Configuration = Mapping[str, Any]
Attributes = Mapping[str, str]
T = TypeVar("T")

# What a network, a server that answers nonsense, a disk, and a want of threads can raise.
_FAILURES = (OSError, http.client.HTTPException, ValueError, LookupError, TypeError, RuntimeError)


def _optional(module: str) -> Any:
    try:
        return importlib.import_module(module)
    except ImportError:
        return None


_baggage = _optional("opentelemetry.baggage")
_trace = _optional("opentelemetry.trace")

# What the spans of the conversation that is under way here carry.
_stamp: ContextVar[Attributes | None] = ContextVar("spanloop_stamp", default=None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """How the client behaves.

    Attributes:
        refresh_s: seconds between two looks at the server, give or take a fifth.
        timeout_s: seconds of one request, and the longest that a caller waits.
        cache_file: where the last known document is kept; None = in memory only.
        tls: for ``https``: certificates to trust and to show; None = the system's.
        accept_runs: let W3C baggage choose a configuration under test; see above.
    """

    refresh_s: float = 30.0
    timeout_s: float = 2.0
    cache_file: Path | None = None
    tls: ssl.SSLContext | None = None
    accept_runs: bool = False


class Assigned(NamedTuple):
    """What a conversation runs under.

    Attributes:
        release_id: '' for a configuration under test and for the default.
        configuration: a copy; yours to change.
        hash: of what it does.
        canary: whether it is the canary.
        run_id: of the test episode; '' = production.
    """

    release_id: str
    configuration: dict[str, Any]
    hash: str = ""
    canary: bool = False
    run_id: str = ""

    @property
    def attributes(self) -> Attributes:
        """Span attributes that say so, for agents that set them by hand."""
        if self.run_id:
            return {RUN_ID: self.run_id, CONFIGURATION: self.hash}
        return {RELEASE_ID: self.release_id} if self.release_id else {}


@dataclass(frozen=True, slots=True)
class _Document:
    """What the server said, checked."""

    current: Assigned
    canary: Assigned | None
    unit: str
    share: float
    salt: str
    source: Mapping[str, Any] = field(repr=False)
    etag: str

    def assign(self, unit_id: str, began_with: str | None) -> Assigned:
        """Return what a conversation began with while that is served, else what its position gives."""
        for release in (self.current, self.canary):
            if release is not None and release.release_id == began_with:
                return release
        if self.canary is not None and position(unit_id, self.salt) < self.share:
            return self.canary
        return self.current


def position(unit: str, salt: str) -> float:
    """Return where ``unit`` stands, uniform in [0, 1): what the server computes, to the last bit.

    >>> position("conversation-1", "release-1")
    0.7637452084126275
    """
    digest = hashlib.sha256(f"{salt}\n{unit}".encode(errors="surrogatepass")).digest()
    return (int.from_bytes(digest[:8], "big") >> 11) / (1 << 53)


def configuration_hash(configuration: Configuration) -> str:
    """Return the hash by which spanloop knows a configuration: SHA-256 of what it does, 32 hex digits.

    >>> configuration_hash({"components": {"instructions": "Be brief."}, "version": "7"})
    '5cdd062d1271f06987622a9af0ff5757'
    """
    parts = ("components", "tools", "parameters")
    does: dict[str, Any] = {part: configuration.get(part) or {} for part in parts}
    text = json.dumps(does, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()[:32]


class ConfigClient:
    """Keeps the configurations of one agent at hand; safe to use from many threads, and across a fork."""

    def __init__(
        self,
        base_url: str,
        agent: str,
        token: str | None = None,
        default: Configuration | None = None,
        options: Options | None = None,
    ) -> None:
        """Begin to fetch in the background.

        Args:
            base_url: spanloop's OTLP/HTTP port, ``http(s)://host:4318``.
            agent: its ``gen_ai.agent.name``.
            token: bearer token, where the server wants one.
            default: configuration until another is known.
            options: how to behave.

        Raises:
            ValueError: ``base_url`` is no http(s) address, names a user, or ``agent`` is empty.
        """
        parts = urllib.parse.urlsplit(base_url)
        if (
            parts.scheme not in ("http", "https")
            or not parts.hostname
            or parts.username
            or not agent
        ):
            raise ValueError("need an http(s) address without a user, and an agent's name")
        self._options = options or Options()
        name = urllib.parse.quote(agent, safe="")
        self._url = f"{base_url.rstrip('/')}/v1/agents/{name}/config"
        self._headers = {"Authorization": f"Bearer {token}"} if token else {}
        self._opener = urllib.request.build_opener(
            _NoRedirect, urllib.request.HTTPSHandler(context=self._options.tls)
        )
        self._default = Assigned("", dict(default or {}), configuration_hash(default or {}))
        self._document: _Document | None = None
        self._failures = 0
        self._wait_until = time.monotonic() + self._options.timeout_s
        self._closed = threading.Event()
        if self._options.cache_file is not None and self._options.cache_file.is_file():
            _attempt(self._read_cache, f"reading {self._options.cache_file}")
        self._begin()
        if hasattr(os, "register_at_fork"):
            os.register_at_fork(after_in_child=self._begin)

    def _begin(self) -> None:
        """Start anew: a fork leaves no threads behind, and locks as they were."""
        if self._closed.is_set():
            return
        self._closed, self._asked = threading.Event(), threading.Event()
        self._lock = threading.Lock()  # guards the two dictionaries
        self._began_with: OrderedDict[str, str] = OrderedDict()
        self._tested: OrderedDict[str, Configuration] = OrderedDict()
        threading.Thread(target=self._keep_fresh, name="spanloop-config", daemon=True).start()

    def close(self) -> None:
        """Stop refreshing; what is known stays."""
        self._closed.set()

    def for_conversation(self, conversation_id: str, user_id: str | None = None) -> Assigned:
        """Return what a conversation runs under; the same for all of its turns."""
        document = self._known()
        if document is None:
            return _copied(self._default)
        unit_id = user_id if document.unit == "user" and user_id else conversation_id
        with self._lock:
            began_with = self._began_with.pop(conversation_id, None)
            assigned = document.assign(unit_id, began_with)
            _keep(self._began_with, conversation_id, assigned.release_id, MAX_CONVERSATIONS)
        return _copied(assigned)

    @contextlib.contextmanager
    def conversation(
        self, conversation_id: str, user_id: str | None = None
    ) -> Generator[Assigned, None, None]:
        """Run a turn: spans begun within are stamped by `span_processor`, the current one at once."""
        assigned = self._of_run() or self.for_conversation(conversation_id, user_id)
        if _trace is not None:
            _trace.get_current_span().set_attributes(assigned.attributes)
        before = _stamp.get()
        _stamp.set(assigned.attributes)
        try:
            yield assigned
        finally:
            _stamp.set(before)

    def span_processor(self) -> Any:  # a SpanProcessor of the SDK, which may not be installed
        """Return what stamps the spans of a `TracerProvider`: the one line to add."""
        return ReleaseSpanProcessor(accept_runs=self._options.accept_runs)

    def _known(self) -> _Document | None:
        """Return the document; what a cache holds may be of long ago, so the first answer is awaited."""
        if not self._asked.is_set():
            self._asked.wait(max(0.0, self._wait_until - time.monotonic()))
        return self._document

    def _of_run(self) -> Assigned | None:
        """Return what a test episode runs under, None for production.

        Where its configuration cannot be had, the default runs, and the stamped hash says so.
        """
        if not self._options.accept_runs or _baggage is None:
            return None
        run_id, wanted = _baggage.get_baggage(RUN_ID), _baggage.get_baggage(CONFIGURATION)
        if not run_id:
            return None
        if wanted:
            tested = self._under_test(str(wanted))
            chosen = Assigned("", dict(tested), str(wanted)) if tested else self._default
        else:
            document = self._known()
            chosen = document.current if document else self._default
        return _copied(chosen._replace(release_id="", run_id=str(run_id)))

    def _under_test(self, hash_: str) -> Configuration | None:
        """Return a configuration by its hash, fetched beside the caller, who waits ``timeout_s`` at most."""

        def fetch() -> None:
            _, body = self._get("?" + urllib.parse.urlencode({"hash": hash_}))
            configuration = json.loads(body)["configuration"]
            if configuration_hash(configuration) != hash_:
                raise ValueError("it is not of the hash that was asked for")
            with self._lock:
                _keep(self._tested, hash_, configuration, MAX_TESTED)

        def fetch_beside() -> None:
            work = (fetch, f"fetching configuration {hash_!r:.66}")
            beside = threading.Thread(target=_attempt, args=work, daemon=True)
            beside.start()
            beside.join(self._options.timeout_s)

        if hash_ not in self._tested:
            _attempt(fetch_beside, "starting a thread")
        return self._tested.get(hash_)

    def _keep_fresh(self) -> None:
        """Look at the server again and again; less often while it is away."""
        pause_s = 0.0
        while not self._closed.wait(pause_s):
            level = logging.DEBUG if self._failures else logging.WARNING  # say it once
            fine = _attempt(self._refresh, f"fetching {self._url}", level=level)
            self._asked.set()
            self._failures = 0 if fine else min(self._failures + 1, 16)
            longest_s = max(self._options.refresh_s, MAX_PAUSE_S)
            pause_s = min(self._options.refresh_s * 2**self._failures, longest_s)
            pause_s *= random.uniform(0.8, 1.2)  # agents that start together drift apart

    def _refresh(self) -> None:
        known = self._document
        try:
            etag, body = self._get(etag=known.etag if known else "")
        except urllib.error.HTTPError as answer:
            with answer:
                if answer.code == http.client.NOT_FOUND:
                    self._document = None
                    if self._options.cache_file is not None:  # a restart must not bring it back
                        self._options.cache_file.unlink(missing_ok=True)
                if answer.code in (http.client.NOT_FOUND, http.client.NOT_MODIFIED):
                    return
            raise
        self._document = document = _checked(json.loads(body), etag)
        if self._options.cache_file is not None:
            _write_cache(self._options.cache_file, self._url, document)

    def _get(self, query: str = "", *, etag: str = "") -> tuple[str, bytes]:
        headers = {**self._headers, **({"If-None-Match": etag} if etag else {})}
        request = urllib.request.Request(self._url + query, headers=headers)
        with self._opener.open(request, timeout=self._options.timeout_s) as answer:
            body: bytes = answer.read(MAX_BODY_BYTES + 1)
            if len(body) > MAX_BODY_BYTES:
                raise ValueError(f"the answer is longer than {MAX_BODY_BYTES} bytes")
            return str(answer.headers.get("ETag", "")), body

    def _read_cache(self) -> None:
        assert self._options.cache_file is not None
        kept = json.loads(self._options.cache_file.read_text(encoding="utf-8"))
        if kept["url"] == self._url:
            self._document = _checked(kept["document"], kept["etag"])


class ReleaseSpanProcessor:
    """Stamps spans with the release, or the run and configuration, of the conversation they belong to.

    A `SpanProcessor` of the OpenTelemetry SDK by its methods. With ``accept_runs`` it also copies W3C baggage
    under ``spanloop.`` to spans outside `ConfigClient.conversation`: enough for an agent that is only tested.
    """

    def __init__(self, *, accept_runs: bool = False) -> None:
        self._accept_runs = accept_runs

    def on_start(self, span: Any, parent_context: Any = None) -> None:
        """Stamp a span that begins."""
        stamp = _stamp.get()
        if stamp is None and self._accept_runs:
            stamp = _carried(parent_context)
        if stamp:
            span.set_attributes(stamp)

    def on_end(self, span: Any = None) -> None:
        """Nothing is left to do."""

    shutdown = _on_ending = on_end

    def force_flush(self, timeout_millis: int = 30_000) -> bool:
        """Nothing is held back."""
        return True


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    """A redirect would carry the token to wherever it points."""

    def redirect_request(self, *_: Any, **__: Any) -> None:
        return None


def _carried(context: Any) -> Attributes:
    if _baggage is None:
        return {}
    carried: dict[str, object] = {**_baggage.get_all(), **_baggage.get_all(context)}
    return {name: str(v)[:256] for name, v in carried.items() if name.startswith("spanloop.")}


def _checked(said: Any, etag: str) -> _Document:
    """Return a document of the right shape.

    Raises:
        LookupError, TypeError, ValueError: it is not.
    """
    assignment = said["assignment"]
    return _Document(
        current=_release(said["current"]),
        canary=_release(said["canary"])._replace(canary=True) if said["canary"] else None,
        unit=str(assignment["unit"]),
        share=float(assignment["share"]),
        salt=str(assignment["salt"]),
        source=said,
        etag=str(etag),
    )


def _release(said: Any) -> Assigned:
    return Assigned(str(said["release_id"]), dict(said["configuration"]), str(said["hash"]))


def _copied(assigned: Assigned) -> Assigned:
    return assigned._replace(configuration=copy.deepcopy(assigned.configuration))


def _keep(kept: "OrderedDict[str, T]", name: str, value: T, most: int) -> None:
    kept[name] = value
    if len(kept) > most:
        kept.popitem(last=False)


def _write_cache(file: Path, url: str, document: _Document) -> None:
    kept = {"url": url, "etag": document.etag, "document": document.source}
    beside = file.with_name(f"{file.name}.{os.getpid()}")
    beside.touch(mode=0o600)
    beside.write_text(json.dumps(kept), encoding="utf-8")
    beside.replace(file)


def _attempt(work: Callable[[], None], what: str, *, level: int = logging.WARNING) -> bool:
    """Do ``work``; return whether it went well. What fails of network, server and disk ends here."""
    try:
        work()
    except _FAILURES as failure:
        logger.log(level, "%s failed: %s: %s", what, type(failure).__name__, failure)
        return False
    return True
