"""Case files: content as it is carried, and the messages that it holds.

``cases/<form>.json``: a list of cases; ``content`` has the columns of a span (a structure stands for its JSON
text), ``expected`` the canonical messages; what is absent there is expected to be None, ``cut`` to be false.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from spanloop.processor.messages import Caps, Content, ToolContent, read_content, read_tool

CASES = {
    f"{path.stem}: {case['name']}": case
    for path in sorted((Path(__file__).parent / "cases").glob("*.json"))
    for case in json.loads(path.read_text())
}


def _text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value)


def _read(content: dict[str, Any]) -> dict[str, Any]:
    messages = read_content(Content(**{column: _text(value) for column, value in content.items()}))
    texts = zip(("system", "input", "output"), messages.texts(), strict=True)
    found = {name: json.loads(text) for name, text in texts if text is not None}
    return {**found, **({"cut": True} if messages.cut else {})}


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_a_case_is_read_as_expected(case: dict[str, Any]) -> None:
    assert _read(case["content"]) == case["expected"]


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_what_was_read_is_read_again_as_it_is(case: dict[str, Any]) -> None:
    columns = {"system": "system", "input": "input_messages", "output": "output_messages"}
    expected = {key: value for key, value in case["expected"].items() if key != "cut"}
    again = _read({columns[key]: value for key, value in expected.items()})
    again.pop("cut", None)  # arguments that are half of a JSON text are so still
    assert again == expected


TOOLS = [
    # arguments, result -> unwrapped arguments, result, call id (None and "": as carried)
    ('{"q": 1}', '{"a": 1}', None, None, ""),
    ('{"q": 1}', "", None, None, ""),
    ('"{\\"q\\": 1}"', '"plain"', '{"q":1}', "plain", ""),
    ("{'q': 1, 'r': None}", "{'a': 'it\\'s'}", '{"q":1,"r":null}', '{"a":"it\'s"}', ""),
    ('{"name":"t","args":{"q":1},"id":"c1","type":"tool_call"}', None, '{"q":1}', None, "c1"),
    (
        '{"input_str":"…","inputs":{"q":1},"kwargs":{"tool_call_id":"c1"}}',
        None,
        '{"q":1}',
        None,
        "c1",
    ),
    (
        '{"method":"tools/call","params":{"name":"t","arguments":{"q":1}}}',
        None,
        '{"q":1}',
        None,
        "",
    ),
    ('{"args":[],"kwargs":{"q":1}}', None, '{"q":1}', None, ""),
    ('{"args":[1],"kwargs":{}}', None, None, None, ""),
    ("A1", None, '{"order":"A1"}', None, ""),
    ("unknown", None, None, None, ""),
    ('{"q": 1', '{"a": 1', None, None, ""),
    (None, "content='sun\\nny' name='t' tool_call_id='c1'", None, "sun\nny", "c1"),
    (None, '{"type":"tool","data":{"content":"sunny","tool_call_id":"c1"}}', None, "sunny", "c1"),
    (
        None,
        '{"lc":1,"id":["ToolMessage"],"kwargs":{"content":"sunny","tool_call_id":"c1"}}',
        None,
        "sunny",
        "c1",
    ),
    (None, '{"id":"c1","name":"t","response":{"result":"sunny"}}', None, "sunny", "c1"),
    (None, '{"content":[{"type":"text","text":"sunny"}],"isError":false}', None, "sunny", ""),
    (None, '{"content":[{"type":"image","data":"…"}],"isError":false}', None, None, ""),
    (None, '[{"text": "sunny"}]', None, "sunny", ""),
    (None, '{"type":"json","value":{"t":21}}', None, '{"t":21}', ""),
    (None, '{"content": "a file", "lines": 3}', None, None, ""),
]


@pytest.mark.parametrize(("arguments", "result", "new_arguments", "new_result", "call_id"), TOOLS)
def test_a_tool_is_told_without_what_is_around_it(
    arguments: str | None,
    result: str | None,
    new_arguments: str | None,
    new_result: str | None,
    call_id: str,
) -> None:
    tool = read_tool(
        ToolContent(name="t", arguments=arguments, result=result),
        {"t": [{"order": "B2"}, {"order": "A1"}]},
        Caps(),
    )
    assert (tool.arguments, tool.result, tool.call_id) == (new_arguments, new_result, call_id)
