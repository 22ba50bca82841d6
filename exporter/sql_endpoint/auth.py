"""Who may use the port: tokens compared in constant time, and no web pages without one."""

import base64
import binascii
import hmac
from collections.abc import Callable, Iterable, Mapping

from spanloop.exporter.sql_endpoint.errors import (
    ACCESS_DENIED,
    AUTHENTICATION_FAILED,
    REQUIRED_PASSWORD,
    SqlError,
    refusal,
)
from spanloop.exporter.sql_endpoint.policy import HttpPolicy

TokenCheck = Callable[[str], bool]


def token_check(tokens: Iterable[str]) -> TokenCheck:
    """A check against a list of tokens; every one is compared, whichever matches."""
    known = [token.encode() for token in tokens if token]

    def check(token: str) -> bool:
        given = token.encode()
        return sum(hmac.compare_digest(given, one) for one in known) > 0

    return check


def refuse(
    headers: Mapping[str, str], *, auth: TokenCheck | None, policy: HttpPolicy
) -> SqlError | None:
    """Why a request may not be served, or None.

    A token is the password of any user: ``Authorization: Bearer``, Basic, or the header
    ``X-ClickHouse-Key``. It is not read from the URL, which ends up in logs.

    Args:
        headers: of the request, names in lower case.
        auth: None if the port needs no token. Then a browser could be made to use it, so
            requests that a web page sent (``Origin``), or that name another host, are refused.
        policy: hosts that may be named.
    """
    if auth is None:
        host = headers.get("host", "").rsplit("@")[-1]
        name = host[1 : host.find("]")] if host.startswith("[") else host.split(":")[0]
        if policy.allowed_hosts and name.lower() not in policy.allowed_hosts:
            return refusal(ACCESS_DENIED, "This host name is not served without a token")
        if "origin" in headers or headers.get("sec-fetch-site", "none") not in ("none",):
            return refusal(ACCESS_DENIED, "Web pages are not served without a token")
        return None
    token = _token(headers)
    if token is None:
        return refusal(REQUIRED_PASSWORD, "A token is needed, as password or Bearer token")
    if not auth(token):
        return refusal(AUTHENTICATION_FAILED, "Authentication failed: the token is not known")
    return None


def _token(headers: Mapping[str, str]) -> str | None:
    if key := headers.get("x-clickhouse-key"):
        return key
    scheme, _, value = headers.get("authorization", "").partition(" ")
    if scheme.lower() == "bearer":
        return value.strip() or None
    if scheme.lower() != "basic":
        return None
    try:
        decoded = base64.b64decode(value, validate=True).decode()
    except (binascii.Error, UnicodeDecodeError):
        return None
    return decoded.partition(":")[2] or None
