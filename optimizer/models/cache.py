"""Replies of models in one SQLite file: what was paid for once is not paid for again, even after kill -9.

The key holds everything an answer depends on, and a nonce that tells apart draws of the same question: an
episode that is played again under its run id meets its own replies, another run never does. A reply is
committed before anything acts on it. SQLite's log survives the end of the process at any moment; of a power
cut it may lose the last replies, never the file.
"""

import hashlib
import json
import os
import sqlite3
import threading
from collections.abc import Callable, Sequence
from dataclasses import asdict, replace
from pathlib import Path

from spanloop.optimizer.models.chat import (
    ChatReply,
    ChatTool,
    Message,
    Parameters,
    ToolCall,
    message_body,
    sent,
    tool_body,
)

PRUNE_EVERY = 500
"""Replies stored between two looks at size and age."""
_SCHEMA = """
CREATE TABLE IF NOT EXISTS replies (
    key BLOB PRIMARY KEY, stored_at_ms INTEGER NOT NULL, bytes INTEGER NOT NULL, reply TEXT NOT NULL
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS replies_by_age ON replies (stored_at_ms, bytes);
"""


class ReplyCache:
    """Keeps replies in ``path`` (mode 0600): at most ``max_bytes``, none older than ``max_age_ms``.

    For several threads; several processes may open the same file.
    """

    def __init__(
        self,
        path: Path,
        *,
        now_ms: Callable[[], int],
        max_bytes: int = 1_000_000_000,
        max_age_ms: int = 14 * 86_400_000,
    ) -> None:
        self._now_ms = now_ms
        self._max_bytes = max_bytes
        self._max_age_ms = max_age_ms
        self._stored = 0
        path.parent.mkdir(parents=True, exist_ok=True)
        os.close(os.open(path, os.O_CREAT | os.O_RDWR, 0o600))
        path.chmod(0o600)  # its log files get the mode of the file itself
        # Guards the connection, which is not for two threads at once.
        self._lock = threading.Lock()
        self._connection = sqlite3.connect(path, timeout=10, check_same_thread=False)
        self._connection.execute("PRAGMA journal_mode = WAL")
        self._connection.execute("PRAGMA synchronous = NORMAL")
        self._connection.executescript(_SCHEMA)
        self.prune()

    def get(self, key: bytes) -> ChatReply | None:
        """Return the reply stored under ``key``."""
        with self._lock:
            row = self._connection.execute(
                "SELECT reply FROM replies WHERE key = ?", (key,)
            ).fetchone()
        return None if row is None else replace(_decoded(row[0]), cached=True)

    def put(self, key: bytes, reply: ChatReply) -> None:
        """Store ``reply``; the first one stays."""
        text = json.dumps(asdict(reply), ensure_ascii=False)
        row = (key, self._now_ms(), len(text.encode()), text)
        with self._lock, self._connection:
            self._connection.execute("INSERT OR IGNORE INTO replies VALUES (?, ?, ?, ?)", row)
        self._stored += 1
        if self._stored % PRUNE_EVERY == 0:
            self.prune()

    def prune(self) -> int:
        """Delete what is too old, then the oldest of what is too much; return how many replies."""
        with self._lock, self._connection:
            old = self._connection.execute(
                "DELETE FROM replies WHERE stored_at_ms < ?", (self._now_ms() - self._max_age_ms,)
            ).rowcount
            much = self._connection.execute(
                "DELETE FROM replies WHERE key IN (SELECT key FROM (SELECT key, sum(bytes) OVER "
                "(ORDER BY stored_at_ms DESC, key) AS total FROM replies) WHERE total > ?)",
                (self._max_bytes,),
            ).rowcount
        return old + much

    def clear(self) -> None:
        """Forget every reply, and overwrite the file: replies may quote what was erased elsewhere."""
        with self._lock:
            with self._connection:
                self._connection.execute("DELETE FROM replies")
            self._connection.execute("VACUUM")
            self._connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")

    def close(self) -> None:
        """Close the file; idempotent."""
        with self._lock:
            self._connection.close()


def reply_key(
    model: str,
    messages: Sequence[Message],
    tools: Sequence[ChatTool],
    parameters: Parameters,
    *,
    nonce: str,
) -> bytes:
    """Return the SHA-256 of all that an answer depends on."""
    asked = {
        "model": model,
        "messages": [message_body(message) for message in messages],
        "tools": [tool_body(tool) for tool in tools],
        "parameters": sent(parameters),
        "nonce": nonce,
    }
    text = json.dumps(asked, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
    return hashlib.sha256(text.encode()).digest()


def _decoded(text: str) -> ChatReply:
    body = json.loads(text)
    said = body.pop("message")
    calls = tuple(ToolCall(**call) for call in said.pop("tool_calls"))
    return ChatReply(message=Message(**said, tool_calls=calls), **body)
