"""Small pieces of ClickHouse SQL text."""

from collections.abc import Iterable, Mapping


def quote(text: str) -> str:
    """Return ``text`` as a ClickHouse string literal."""
    return "'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'"


def strings(items: Iterable[str]) -> str:
    """Return a comma-separated list of string literals."""
    return ", ".join(quote(item) for item in items)


def numbers(items: Iterable[int]) -> str:
    """Return a comma-separated list of integer literals."""
    return ", ".join(str(item) for item in items)


def array(items: Iterable[str]) -> str:
    """Return an array of strings as one literal: the analyzer pays for every node, not for every byte."""
    items = list(items)
    if any("|" in item for item in items):
        raise ValueError("a '|' inside an item of a constant array")
    return f"splitByChar('|', {quote('|'.join(items))})"


def number_array(items: Iterable[int], width: str) -> str:
    """Return an array of integers of type ``width`` as one literal."""
    return f"CAST('[{','.join(str(item) for item in items)}]', 'Array({width})')"


def transform(value: str, table: Mapping[str, str], default: str) -> str:
    """Return ``value`` looked up in ``table`` (text → text), or ``default``."""
    return f"transform({value}, {array(table)}, {array(table.values())}, {default})"


def lookup(value: str, table: Mapping[str, int], width: str = "UInt16") -> str:
    """Return ``value`` looked up in ``table`` (text → number), or 0."""
    return (
        f"transform({value}, {array(table)}, {number_array(table.values(), width)}, to{width}(0))"
    )


def first_of(choices: Iterable[tuple[str, str]], default: str) -> str:
    """Return the value of the first condition that holds."""
    arms = [f"{condition}, {value}" for condition, value in choices]
    if not arms:
        return default
    return f"multiIf({', '.join(arms)}, {default})"
