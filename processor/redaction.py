"""Replace secrets and personal identifiers in text by typed placeholders.

Applied before anything leaves for a model; before storage where the receiver is told to. A pure function on
text: JSON text stays valid JSON, since neither what is replaced nor a placeholder holds a quote or a
backslash of its own. Redacting twice changes nothing. It recognises shapes, so it misses what has none
(names, addresses) and may take an identifier of the same shape; both are the nature of patterns.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

Kind = Literal["SECRET", "EMAIL", "IBAN", "CARD", "NATIONAL_ID", "PHONE"]


@dataclass(frozen=True, slots=True)
class Pattern:
    """A shape to look for; group ``value``, else all of it, is replaced where ``holds`` agrees."""

    kind: Kind
    regex: re.Pattern[str]
    holds: Callable[[str], bool] = bool


def redact(text: str) -> str:
    """Return ``text`` with every recognised secret and identifier replaced by ``<KIND>``.

    >>> redact("write to ann@example.org, card 4111 1111 1111 1111")
    'write to <EMAIL>, card <CARD>'
    """
    for pattern in PATTERNS:
        text = pattern.regex.sub(_replacement(pattern), text)
    return text


def _replacement(pattern: Pattern) -> Callable[[re.Match[str]], str]:
    group = "value" if "value" in pattern.regex.groupindex else 0

    def replace(match: re.Match[str]) -> str:
        value = match[group]
        if not pattern.holds(value):
            return match[0]
        start, end = match.start(group) - match.start(), match.end(group) - match.start()
        return f"{match[0][:start]}<{pattern.kind}>{match[0][end:]}"

    return replace


def luhn_holds(number: str) -> bool:
    """Return whether the digits of ``number`` pass the check of ISO/IEC 7812-1 (Luhn)."""
    digits = [int(character) for character in reversed(number) if character.isdigit()]
    doubled = (sum(divmod(2 * digit, 10)) for digit in digits[1::2])
    return len(digits) > 1 and (sum(digits[::2]) + sum(doubled)) % 10 == 0


def iban_holds(account: str) -> bool:
    """Return whether ``account`` passes the check of ISO 13616 (remainder 1 modulo 97)."""
    letters = "".join(character for character in account if character.isalnum()).upper()
    number = "".join(str(int(character, 36)) for character in letters[4:] + letters[:4])
    return int(number) % 97 == 1


def _insee_holds(number: str) -> bool:
    """Return whether a French social security number has its key (97 minus the remainder modulo 97)."""
    digits = "".join(character for character in number if character.isdigit())
    return len(digits) == 15 and 97 - int(digits[:13]) % 97 == int(digits[13:])


_KEYS = "|".join(
    (
        r"sk-(?:ant-|proj-|or-|lf-|svcacct-)?[A-Za-z0-9_-]{16,}",  # OpenAI, Anthropic, OpenRouter, Langfuse
        r"pk-lf-[A-Za-z0-9-]{16,}",
        r"[rs]k_(?:live|test)_[A-Za-z0-9]{16,}",  # Stripe
        r"(?:AKIA|ASIA)[0-9A-Z]{16}",  # AWS
        r"gh[opsur]_[A-Za-z0-9]{30,}",
        r"github_pat_[A-Za-z0-9_]{30,}",
        r"glpat-[A-Za-z0-9_-]{20,}",
        r"xox[abeoprs]-[A-Za-z0-9-]{10,}",  # Slack
        r"AIza[A-Za-z0-9_-]{35}",  # Google
        r"ya29\.[A-Za-z0-9_-]{20,}",
        r"hf_[A-Za-z0-9]{30,}",
        r"npm_[A-Za-z0-9]{30,}",
        r"pypi-[A-Za-z0-9_-]{40,}",
        r"lsv2_(?:pt|sk)_[A-Za-z0-9_]{30,}",  # LangSmith
        r"eyJ[A-Za-z0-9_-]{8,}\.eyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{8,}",  # JSON web token
    )
)
_NAMES = (
    r"(?:password|passwd|passphrase|pwd|secret|client_?secret|secret_?(?:access_)?key|api_?key|private_?key"
    r"|access_?token|auth_?token|refresh_?token|session_?token)"
)

PATTERNS: tuple[Pattern, ...] = (
    Pattern(
        "SECRET",
        re.compile(
            r"-----BEGIN [A-Z ]*PRIVATE KEY-----.*?(?:-----END [A-Z ]*PRIVATE KEY-----|\Z)",
            re.DOTALL,
        ),
    ),
    Pattern("SECRET", re.compile(rf"(?<![A-Za-z0-9_-])(?:{_KEYS})(?![A-Za-z0-9_-])")),
    Pattern("SECRET", re.compile(r"\b(?i:bearer|basic)\s+(?P<value>[A-Za-z0-9+/_.~-]{16,}=*)")),
    Pattern(
        "SECRET",
        re.compile(
            r"(?P<scheme>(?<![a-z0-9+.-])[a-z][a-z0-9+.-]{0,30}://[^\s/:@<\"']{1,256}:)"
            r"(?P<value>[^\s/@<\"'\\]{1,512})(?=@)"
        ),
    ),
    Pattern(
        "SECRET",
        re.compile(
            rf"\b{_NAMES.replace('_?', '[ _-]?')}(?:\\?[\"'])?\s*[:=]\s*(?:\\?[\"'])?"
            r"(?P<value>[^\s\"'\\,;&<>{}\[\]]{6,})",
            re.IGNORECASE,
        ),
    ),
    Pattern(
        "EMAIL",
        re.compile(
            r"(?<![\w.+%-])[A-Za-z0-9][\w.+%-]{0,63}@(?:[A-Za-z0-9-]{1,63}\.){1,8}[A-Za-z]{2,24}(?![\w-])"
        ),
    ),
    Pattern(
        "IBAN",
        re.compile(r"\b[A-Z]{2}\d{2}(?: ?[A-Z0-9]{4}){2,7}(?: ?[A-Z0-9]{1,3})?\b"),
        iban_holds,
    ),
    Pattern(
        "CARD",
        # Visa, Mastercard, American Express, Discover/UnionPay: not any long number, or time stamps would
        # go too.
        re.compile(
            r"(?<![\d.])(?:4\d{3}(?:[ -]?\d{4}){3}|4\d{12}|(?:5[1-5]|2[2-7]|6\d)\d{2}(?:[ -]?\d{4}){3}"
            r"|3[47]\d{2}[ -]?\d{6}[ -]?\d{5})(?![\d.]\d|\d)"
        ),
        luhn_holds,
    ),
    Pattern(
        "NATIONAL_ID",  # United States: social security number
        re.compile(r"(?<![\d-])(?!000|666|9\d\d)\d{3}([- ])(?!00)\d{2}\1(?!0000)\d{4}(?![\d-])"),
    ),
    Pattern(
        "NATIONAL_ID",  # United Kingdom: national insurance number
        re.compile(
            r"\b(?!BG|GB|KN|NK|NT|TN|ZZ)[A-CEGHJ-PR-TW-Z][A-CEGHJ-NPR-TW-Z] ?\d{2} ?\d{2} ?\d{2} ?[A-D]\b"
        ),
    ),
    Pattern(
        "NATIONAL_ID",  # France: INSEE number
        re.compile(r"(?<!\d)[12] ?\d{2} ?(?:0[1-9]|1[0-2]) ?\d{2} ?\d{3} ?\d{3} ?\d{2}(?!\d)"),
        _insee_holds,
    ),
    Pattern(
        "PHONE",  # international, and the North American form with its separators
        re.compile(
            r"(?<![\w+.-])(?:\+\d{1,3}(?:[ .-]?\(?\d{1,4}\)?){2,5}\d"
            r"|(?:\(\d{3}\) ?|\d{3}[-. ])\d{3}[-. ]\d{4})(?![\w-])"
        ),
    ),
)
"""In order: what is most specific first, so that a number inside a key is not taken for a phone number."""
