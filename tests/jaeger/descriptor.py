"""Compile ``proto/jaeger_storage.proto`` into the JSON that is loaded at run time.

    python -m tests.jaeger.descriptor       # from the repository's root

The run-time needs no compiler, and generated modules would tie it to the compiler's version of protobuf.
"""

import subprocess
import sys
import tempfile
from pathlib import Path

from google.protobuf import descriptor_pb2
from google.protobuf.json_format import MessageToJson

PROTO = Path(__file__).resolve().parents[2] / "proto" / "jaeger_storage.proto"


def compiled() -> str:
    """Return the file's descriptor as JSON."""
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "descriptor"
        options = [f"--proto_path={PROTO.parent}", f"--descriptor_set_out={out}", PROTO.name]
        subprocess.run([sys.executable, "-m", "grpc_tools.protoc", *options], check=True)
        found = descriptor_pb2.FileDescriptorSet.FromString(out.read_bytes())
    return MessageToJson(found.file[0], indent=1, preserving_proto_field_name=True) + "\n"


if __name__ == "__main__":
    PROTO.with_suffix(".json").write_text(compiled(), encoding="utf-8")
