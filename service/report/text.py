"""What is said on the page: words of traces made harmless, numbers made readable. Pure functions.

Text of traces is hostile. It is redacted, capped, and stripped of characters that a reader does not see or
that turn the order of what stands around them; that it is no markup is the template's business (autoescape).
"""

import re
from datetime import datetime

from spanloop.processor.redaction import redact

SHOWN_CHARS = 400
READ_CHARS = 20_000
"""Characters of a text that are looked at: a secret must not be cut before it is recognised."""

UNKNOWN = "unknown"
NBSP = "\u00a0"
"""Between a number and its unit: they stay on one line."""

# Controls but tab and line feed; marks, embeddings, overrides and isolates that reorder text (Unicode UAX 9);
# characters without width; lone surrogates; annotations between lines; tags, which spell words unseen.
_UNSEEN = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u00ad\u061c\u180e\u200b\u200e\u200f\u202a-\u202e\u2028\u2029\u2060-\u206f"
    "\ufeff\ud800-\udfff\ufff9-\ufffb\U000e0000-\U000e007f]"
)
_MARKS = "[\u0300-\u036f\u0483-\u0489\u1ab0-\u1aff\u1dc0-\u1dff\u20d0-\u20ff]"
# More marks on one letter than any script has: they would cover the lines around them.
_STACKED = re.compile(f"({_MARKS}{{3}}){_MARKS}+")


def quoted(text: str | None, n: int = SHOWN_CHARS) -> str:
    r"""Return words of a trace as they may be shown: redacted, at most ``n`` characters and how many more.

    >>> quoted("mail ann@example.org" + chr(0x202e) + "!")
    'mail <EMAIL>�!'
    >>> quoted("abcdef", 3)
    'abc … (3 more characters)'
    """
    if text is None:
        return ""
    seen = _STACKED.sub(r"\1", _UNSEEN.sub("\ufffd", redact(text[:READ_CHARS]))).strip()
    if len(seen) <= n and len(text) <= READ_CHARS:
        return seen
    more = max(len(seen) - n, 0) + max(len(text) - READ_CHARS, 0)
    return f"{seen[:n].rstrip()} … ({more:,} more characters)"


def line(text: str | None, n: int = 120) -> str:
    r"""Return the beginning of `quoted` text on one line.

    >>> line("one  two\nthree", 9)
    'one two t…'
    """
    words = " ".join(quoted(text, READ_CHARS).split())
    return words if len(words) <= n else f"{words[:n]}…"


def percent(share: float | None) -> str:
    r"""Say a share; where less than 10 % or more than 90 %, to a tenth where that differs.

    >>> percent(0.123), percent(0.0312), percent(1.0), percent(None)
    ('12\xa0%', '3.1\xa0%', '100\xa0%', 'unknown')
    """
    if share is None:
        return UNKNOWN
    value = share * 100
    fine = (0 < value < 10 or 90 < value < 100) and abs(value - round(value)) >= 0.05
    return f"{value:.1f}{NBSP}%" if fine else f"{value:.0f}{NBSP}%"


def percents(low: float | None, high: float | None) -> str:
    r"""Say an interval of shares.

    >>> percents(0.1, 0.256), percents(None, 0.2)
    ('10\xa0% to 26\xa0%', 'unknown')
    """
    return UNKNOWN if low is None or high is None else f"{percent(low)} to {percent(high)}"


def points(value: float | None) -> str:
    """Say a difference of shares in percentage points.

    >>> points(0.104), points(-0.2), points(None), points(0.0)
    ('+10', '−20', 'unknown', '0')
    """
    if value is None:
        return UNKNOWN
    rounded = round(value * 100)
    return f"{rounded:+d}".replace("-", "−") if rounded else "0"


def bounds(low: float | None, high: float | None) -> str:
    """Say an interval of differences in percentage points; no difference of shares is beyond 100.

    >>> bounds(0.02, 0.19), bounds(-1.85, 0.1), bounds(None, 0.1)
    ('+2 to +19', '−100 to +10', '')
    """
    if low is None or high is None:
        return ""
    return f"{points(max(low, -1.0))} to {points(min(high, 1.0))}"


def count(n: float | None) -> str:
    """Say a count.

    >>> count(1234567), count(None)
    ('1,234,567', 'unknown')
    """
    return UNKNOWN if n is None else f"{n:,.0f}"


def short(n: float | None) -> str:
    r"""Say a large number in three figures.

    >>> short(950), short(12_345), short(2_605_711), short(None)
    ('950', '12.3\xa0k', '2.61\xa0M', 'unknown')
    """
    if n is None:
        return UNKNOWN
    for size, unit in ((1e9, "G"), (1e6, "M"), (1e3, "k")):
        if abs(n) >= size:
            return f"{n / size:.3g}{NBSP}{unit}"
    return f"{n:.3g}" if n % 1 else f"{n:.0f}"


def usd(value: float | None, unpriced: int = 0) -> str:
    """Say a cost; what has no known price is said, never taken as 0.

    >>> usd(12.5), usd(0.00123), usd(None), usd(3.0, 2), usd(None, 7), usd(0.0)
    ('12.50 USD', '0.00123 USD', 'unknown', '3.00 USD and 2 of unknown price', 'unknown', '0 USD')
    """
    if value is None:
        return UNKNOWN
    said = f"{value:.2f} USD" if value >= 0.1 else f"{value:.3g} USD"
    return f"{said} and {unpriced:,} of unknown price" if unpriced else said


def figures(value: float | None) -> str:
    """Say a number in three significant figures.

    >>> figures(3.39278), figures(1234567.0), figures(None), figures(100.0)
    ('3.39', '1.23e+06', 'unknown', '100')
    """
    return UNKNOWN if value is None else f"{value:.3g}"


def moment(when: datetime | None) -> str:
    """Say a time (UTC) to the minute.

    >>> moment(datetime(2026, 11, 25, 21, 23, 57))
    '2026-11-25 21:23'
    """
    return "" if when is None else f"{when:%Y-%m-%d %H:%M}"


def words(label: str) -> str:
    """Say a label of ours (``context_gap``) in words.

    >>> words("context_gap")
    'context gap'
    """
    return label.replace("_", " ")


def plural(n: int, one: str, many: str = "") -> str:
    """Say how many of something.

    >>> plural(1, "day"), plural(1200, "day"), plural(2, "look", "looks")
    ('1 day', '1,200 days', '2 looks')
    """
    return f"{n:,} {one if n == 1 else many or one + 's'}"
