"""Every error spanloop raises on purpose, split by what the caller should do next.

::

    SpanloopError
    ├── PermanentError        the same input fails again: fix the input or the set-up
    │   ├── ConfigError       a setting is wrong; the message names it
    │   ├── InvalidRequest    a client sent something that can never be accepted
    │   ├── SqlRejected       a statement outside what the SQL endpoint allows
    │   └── StoreLocked       another process owns the data directory
    └── RetryableError        the same input may succeed later: back off and repeat
        ├── Overloaded        a cap is reached (disk, memory); carries ``retry_after_s``
        ├── StoreUnavailable  the database did not take it, or its answer is unknown
        └── Stopping          the process ends; what is missing is done by the next run

They live in the lowest package so that every other one can raise them.
"""


class SpanloopError(Exception):
    """Root of all deliberate errors; the message says what, which, and what to do."""


class PermanentError(SpanloopError):
    """Repeating the same call cannot succeed."""


class RetryableError(SpanloopError):
    """Repeating the same call may succeed."""

    def __init__(self, message: str, *, retry_after_s: float = 1.0) -> None:
        super().__init__(message)
        self.retry_after_s = retry_after_s


class ConfigError(PermanentError):
    """A setting is missing, malformed or contradicts another one."""


class InvalidRequest(PermanentError):
    """A request that can never be accepted as it is (malformed, too large, wrong type)."""


class SqlRejected(PermanentError):
    """A statement that the SQL endpoint does not allow."""


class StoreLocked(PermanentError):
    """Another process owns the data directory."""


class Overloaded(RetryableError):
    """A cap is reached; nothing of the request was kept."""


class StoreUnavailable(RetryableError):
    """The database refused or did not answer; whether it stored anything is unknown."""


class Stopping(RetryableError):
    """The process was asked to end; what is missing is done by the next run."""
