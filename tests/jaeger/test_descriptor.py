from __future__ import annotations

from tests.jaeger.descriptor import PROTO, compiled


def test_the_descriptor_that_is_loaded_is_the_proto_file_compiled() -> None:
    how = "run python -m tests.jaeger.descriptor"
    assert PROTO.with_suffix(".json").read_text(encoding="utf-8") == compiled(), how
