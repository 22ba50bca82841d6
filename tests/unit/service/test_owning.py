"""Who owns a data directory while a store is used."""

from pathlib import Path

import pytest

from spanloop.exporter.lock import DirectoryLock
from spanloop.processor.errors import StoreLocked
from spanloop.service.config import load
from spanloop.service.owning import opened_store


def test_a_database_server_is_used_beside_whoever_owns_the_directory(tmp_path: Path) -> None:
    lock = DirectoryLock(tmp_path)
    try:
        with opened_store(load(None, data_dir=tmp_path, store={"dsn": "http://127.0.0.1:1"})) as it:
            assert not it.embedded
        with pytest.raises(StoreLocked), opened_store(load(None, data_dir=tmp_path)):
            pass
    finally:
        lock.close()
