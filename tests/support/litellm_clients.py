"""Closes what litellm keeps open: clients of its blocking calls, which nothing else in a process closes."""

import inspect
import sys
from typing import Any


def close_blocking_clients() -> None:
    """Close the connections of litellm's blocking clients, as the end of the agent's process would."""
    litellm: Any = sys.modules.get("litellm")
    if litellm is None:  # nobody has called it
        return
    kept = litellm.in_memory_llm_clients_cache
    for key, client in list(kept.cache_dict.items()):
        close = getattr(client, "close", None)
        if callable(close) and not inspect.iscoroutinefunction(close):
            close()
            kept.cache_dict.pop(key)  # who calls next opens another
