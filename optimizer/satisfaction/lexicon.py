"""Plain English that says how a conversation goes and what a tool does, of any subject.

Phrases are evidence of contentment or trouble and only ever shift a probability. Verbs are a first
guess whether a tool changes something; how it is used may say otherwise
(`spanloop.optimizer.satisfaction.tools`).
"""

from typing import NamedTuple


class Phrase(NamedTuple):
    """A pattern in Vectorscan syntax; the engine looks for all of them in one pass."""

    name: str
    pattern: str


PHRASES: tuple[Phrase, ...] = (
    Phrase("thanks", r"(?i)\b(thank|thx|appreciate|grateful)"),
    Phrase(
        "consent",
        r"(?i)^\W*(yes|yeah|yep|sure|ok|okay|confirmed?|correct|absolutely|go ahead|proceed|sounds good"
        r"|perfect)\b"
        r"|\b(go ahead|please proceed|please do|i confirm|yes,? please)\b",
    ),
    Phrase(
        "correction",
        r"(?i)\b(that'?s (not|wrong|incorrect)|not what i|i (said|meant|asked|already|told you)"
        r"|incorrect|wrong|mistake|you (said|told|missed|forgot|didn)|instead|actually|wait)\b",
    ),
    Phrase(
        "frustration",
        r"(?i)\b(frustrat|ridiculous|unacceptable|disappoint|upset|annoy|angry|terrible|useless|unfair"
        r"|not happy|waste|absurd|still (not|isn|doesn|can|no)|(doesn|didn|not|isn).{0,8} work"
        r"|complain|inconvenien)",
    ),
    Phrase(
        "insistence",
        r"(?i)\b(are you sure|exception|any (other )?(way|option|possib)|is there (no|any)|can'?t you"
        r"|why (not|can)|really need|must|double.?check|check again|try again|insist|but i)\b",
    ),
    Phrase(
        "wants_person",
        r"(?i)\b(human|real person|supervisor|manager|representative|someone else|live agent)\b",
    ),
    Phrase("apology", r"(?i)\b(sorry|apolog|regret|unfortunately)"),
    Phrase(
        "inability",
        r"(?i)\b(cannot|can'?t|can’t|unable|not able|not (possible|allowed|permitted|eligible"
        r"|available|authorized)|won'?t be able|isn'?t possible|no way to"
        r"|don'?t have (the )?(ability|access|option)"
        r"|(does not|doesn'?t) (allow|permit|qualify)|ineligible|policy|policies)\b",
    ),
    Phrase(
        "claims_done",
        r"(?i)\b(success|completed?|(has|have) (now )?been|all set|is now|i'?ve (now )?\w+ed"
        r"|i have (now )?\w+ed|done)\b",
    ),
    Phrase(
        "uncertain",
        r"(?i)\b(i think|maybe|perhaps|might|probably|assum|not sure|i believe|seems?|appears?|should be)\b",
    ),
    Phrase("money", r"[$€£]\s?[0-9]"),
)

_CHANGING = """
activate add adjust apply approve assign authorize block book buy cancel change charge clear close commit
complete configure confirm connect create deactivate delete deploy disable disconnect downgrade edit enable
enroll exchange execute file grant insert install issue lock make merge modify move order pay place post
process publish purchase push put reboot record redeem refund register reject release remove rename renew
replace reply request reschedule reserve reset resolve restart restore resume return revoke save schedule
send set start stop store submit subscribe suspend swap switch toggle unlock unsubscribe update upgrade
upload void write
"""
_READING = """
analyse analyze browse calculate can check compute count describe estimate explain fetch find get has have
identify inspect is list locate look lookup open plan preview query quote read recall reason retrieve review
scroll search select show summarise summarize test think track validate verify view visit
"""

CHANGING_VERBS = frozenset(_CHANGING.split())
"""A tool with one of these in its name changes something, unless a reading verb comes first."""

READING_VERBS = frozenset(_READING.split())
"""A tool whose name begins with one of these looks something up."""

HANDOVER_WORDS = frozenset(("transfer", "escalate", "escalation", "handoff", "handover", "human"))
"""A tool with one of these in its name gives the conversation to somebody else."""
