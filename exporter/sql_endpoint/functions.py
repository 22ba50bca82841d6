"""The functions a statement may call; everything that is not listed is refused.

``functions.json`` was made from ``system.functions`` of chDB 26.9 by leaving out whatever reads
files, dictionaries, other tables, the network, the server's configuration or other people's
queries, calls a model, sleeps, or formats through schema files. A function that a later engine
adds is refused until someone has read what it does.
"""

import json
from dataclasses import dataclass
from functools import cache
from importlib import resources


@dataclass(frozen=True, slots=True, kw_only=True)
class FunctionList:
    """Allowed names, lower-cased (some functions are case-insensitive, none collides)."""

    scalar: frozenset[str]
    aggregate: frozenset[str]
    combinators: tuple[str, ...]
    table: frozenset[str]

    def allows(self, name: str) -> bool:
        """Whether a scalar, window or aggregate function, with any combinators, may be called."""
        if name.lower() in self.scalar:
            return True
        return self._aggregate(name)

    def allows_table(self, name: str) -> bool:
        """Whether a table function may be read from (their names are case-sensitive)."""
        return name in self.table

    def _aggregate(self, name: str) -> bool:
        """``sumMapIf`` is ``sum`` with the combinators ``Map`` and ``If``."""
        if name.lower() in self.aggregate:
            return True
        return any(
            self._aggregate(name[: -len(suffix)])
            for suffix in self.combinators
            if name.endswith(suffix) and len(name) > len(suffix)
        )


@cache
def allowed_functions() -> FunctionList:
    """Read the list that ships with the package."""
    text = (
        resources.files("spanloop.exporter.sql_endpoint")
        .joinpath("functions.json")
        .read_text(encoding="utf-8")
    )
    lists: dict[str, list[str]] = json.loads(text)
    return FunctionList(
        scalar=frozenset(name.lower() for name in lists["scalar"]),
        aggregate=frozenset(name.lower() for name in lists["aggregate"]),
        combinators=tuple(lists["combinators"]),
        table=frozenset(lists["table"]),
    )
