"""SQL of one column: the best carrier's text, converted to the column's type."""

from collections.abc import Mapping

from spanloop.processor.keytable import column_id
from spanloop.processor.rules import COLUMNS, Kind

_TYPED: Mapping[Kind, str] = {
    "label": "vs[{at}]",
    "text": "vs[{at}]",
    "content": "arrayElementOrNull(vs, {at})",
    # Through Float64: some SDKs send token counts as doubles; -1 and NaN become NULL.
    "uint": "accurateCastOrNull(toFloat64OrNull(vs[{at}]), 'UInt64')",
    "float": "toFloat64OrNull(vs[{at}])",
    # A JSON array, or one bare value.
    "list": (
        "if(startsWith(vs[{at}], '['), JSONExtract(vs[{at}], 'Array(String)'), "
        "arrayFilter(x -> notEmpty(x), [vs[{at}]]))"
    ),
}
"""Every conversion gives NULL or '' instead of throwing: a view that throws stops the insert."""


def place(column: str) -> str:
    """Return the position of the best carrier of ``column`` among the pairs; 0 if there is none."""
    return f"places[indexOf(found, {column_id(column)})]"


def carried(column: str) -> str:
    """Return the value of ``column``, typed; NULL or '' if nothing carries it."""
    return _TYPED[COLUMNS[column]].format(at=place(column))
