"""Replies that were paid for survive the end of the process at any moment."""

import signal
import subprocess
import sys
from pathlib import Path

from spanloop.optimizer.models.cache import ReplyCache, reply_key
from spanloop.optimizer.models.chat import Message

PROGRAM = """
import os, signal, sys
from pathlib import Path
from spanloop.optimizer.models.cache import ReplyCache, reply_key
from spanloop.optimizer.models.chat import ChatReply, Message

cache = ReplyCache(Path(sys.argv[1]), now_ms=lambda: 0)
said = Message(role="assistant", content="paid")
for n in range(100):
    key = reply_key("m", [Message(role="user", content="hello")], [], {}, nonce=str(n))
    cache.put(key, ChatReply(message=said, model="m", input_tokens=1, output_tokens=1))
os.kill(os.getpid(), signal.SIGKILL)
"""


def test_replies_survive_kill_9(tmp_path: Path) -> None:
    path = tmp_path / "replies.sqlite"
    killed = subprocess.run([sys.executable, "-c", PROGRAM, str(path)], check=False, timeout=120)
    assert killed.returncode == -signal.SIGKILL
    cache = ReplyCache(path, now_ms=lambda: 0)
    asked = [Message(role="user", content="hello")]
    found = [cache.get(reply_key("m", asked, [], {}, nonce=str(n))) for n in range(101)]
    cache.close()
    assert [reply is not None for reply in found] == [True] * 100 + [False]
    assert {reply.message.content for reply in found if reply} == {"paid"}
