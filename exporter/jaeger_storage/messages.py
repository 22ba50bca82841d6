"""The messages of ``jaeger.storage.v2``, built from ``proto/jaeger_storage.json``.

In a pool of their own: a process may also hold Jaeger's generated classes of the same names.
"""

from functools import cache
from importlib.resources import files
from typing import Any

from google.protobuf import (
    descriptor_pb2,
    descriptor_pool,
    duration_pb2,
    json_format,
    message_factory,
    timestamp_pb2,
)

PACKAGE = "jaeger.storage.v2"


def message_type(name: str) -> Any:
    """Return the class of message ``name``."""
    return message_factory.GetMessageClass(_pool().FindMessageTypeByName(f"{PACKAGE}.{name}"))


@cache
def _pool() -> descriptor_pool.DescriptorPool:
    pool = descriptor_pool.DescriptorPool()
    for known in (duration_pb2.DESCRIPTOR, timestamp_pb2.DESCRIPTOR):
        pool.AddSerializedFile(known.serialized_pb)
    text = files("spanloop.proto").joinpath("jaeger_storage.json").read_text(encoding="utf-8")
    file = json_format.Parse(text, descriptor_pb2.FileDescriptorProto())
    pool.AddSerializedFile(file.SerializeToString())
    return pool
