"""Compile ``proto/jaeger_storage.proto`` into the JSON that is loaded at run time.

    python -m tests.jaeger.descriptor       # from the repository's root

The run-time needs no compiler, and generated modules would tie it to the compiler's version of protobuf.
"""

import tempfile
from importlib.resources import files
from pathlib import Path

import grpc_tools
from google.protobuf import descriptor_pb2
from google.protobuf.json_format import MessageToJson
from grpc_tools import protoc

PROTO = Path(__file__).resolve().parents[2] / "proto" / "jaeger_storage.proto"


def compiled() -> str:
    """Return the file's descriptor as JSON."""
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "descriptor"
        status = protoc.main(
            [
                "protoc",
                f"--proto_path={PROTO.parent}",
                f"--proto_path={files(grpc_tools) / '_proto'}",
                f"--descriptor_set_out={out}",
                PROTO.name,
            ]
        )
        if status != 0:
            raise RuntimeError(f"protoc failed with status {status}")
        found = descriptor_pb2.FileDescriptorSet.FromString(out.read_bytes())
    return MessageToJson(found.file[0], indent=1, preserving_proto_field_name=True) + "\n"


if __name__ == "__main__":
    PROTO.with_suffix(".json").write_text(compiled(), encoding="utf-8")
