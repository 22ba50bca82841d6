"""An address of a server that is none is refused at once, and nothing of its password is said."""

from __future__ import annotations

import pytest

from spanloop.exporter.store import ServerStore
from spanloop.processor.errors import ConfigError


@pytest.mark.parametrize(
    "dsn",
    [
        "http://u:s3cret#x@h:8123/d",
        "http://u:s3cret/x@h:8123/d",
        "http://u:s3cret?x@h:8123/d",
        "http://u:s3cret[@h:8123/d",
        "http://u:p@h:s3cret/d",
        "http://u:p@h:99999/d",
        "s3cret",
    ],
)
def test_what_is_no_address_is_refused_without_its_text(dsn: str) -> None:
    with pytest.raises(ConfigError, match=r"store\.dsn is no http") as refused:
        ServerStore(dsn)
    assert "s3cret" not in str(refused.value)
    assert refused.value.__cause__ is None
    assert refused.value.__context__ is None


@pytest.mark.parametrize("dsn", ["https://u:p%23x@h/d", "http://[::1]:8123", "http://h"])
def test_an_address_is_taken(dsn: str) -> None:
    assert not ServerStore(dsn).embedded
