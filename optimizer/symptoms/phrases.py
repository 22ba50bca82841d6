"""Phrases of a conversation that the engine looks for, all in one pass over a text.

Plain English of any subject: no product, policy or tool is named. A phrase is evidence only beside what was
done: a promise counts where nothing follows it. Vectorscan syntax; matched without regard to case.
"""

ASSENTS = (
    "yes",
    "yep",
    "yeah",
    "yup",
    "sure",
    "ok",
    "okay",
    "correct",
    "absolutely",
    "definitely",
    "confirmed",
    "confirm",
)
"""First words of somebody who agrees."""

DENIES = ("no", "nope", "wait", "actually", "hold", "stop")
"""First words of somebody who does not."""

PHRASES: tuple[tuple[str, str], ...] = (
    (
        "promise",
        r"\b(?:i will|i'll|i am going to|i'm going to|we will|we'll|let me|allow me to)(?: now"
        r"| just| also| first| quickly| go ahead and| proceed to| begin to)* (?:proceed"
        r"|process|check|look|verify|find|get|retrieve|pull|search|update|cancel|book|create"
        r"|send|fix|run|try|make|change|modify|start|do|locate|review|calculate|issue|submit"
        r"|apply|initiate|return|exchange|add|remove|delete|transfer|connect|refund|schedule"
        r"|place|set|complete|finalize|handle|see|fetch|go)\b|\bproceeding with\b"
        r"|\bone moment\b|\bplease hold\b|\bgive me a (?:moment|second|minute)\b",
    ),
    (
        "asks",
        r"[?？]|\bplease (?:confirm|reply|provide|let me know|share|tell|specify|choose|respond"
        r"|send|try|check|answer|give|enter|select|say)\b|\blet me know\b|\bonce you\b"
        r"|\bif you\b|\bwould you\b|\bwhen you\b|\bafter you\b|\bcan you\b|\bcould you\b",
    ),
    (
        "offers",
        r"\bwould you like (?:me )?to\b|\bshall i\b|\bshould i\b|\bmay i\b|\bdo you (?:want"
        r"|wish|confirm|agree|approve)\b|\bplease confirm\b|\bconfirm (?:that|if|whether|the"
        r"|these|this|you)\b|\b(?:reply|say|respond with|answer) .?.?.?yes\b|\b(?:want"
        r"|like) me to\b|\bis this (?:correct|ok|okay|acceptable)\b|\bready to proceed\b",
    ),
    (
        "admits",
        r"\b(?:error|errors|unable|unfortunately|sorry|apologi[sz]e|apologies|cannot|can not"
        r"|can't|couldn't|could not|wasn't|was not|weren't|were not|isn't able|didn't|did not"
        r"|failed|fails|failure|issue|issues|problem|trouble|not found|no record"
        r"|does not exist|doesn't exist|invalid|incorrect|mistake|not possible|not able"
        r"|not allowed|not available|unavailable|unsuccessful|instead|however|retry|try again"
        r"|another way|not eligible|rejected|declined|denied|it seems|it looks like|it appears"
        r"|not enough|insufficient|does not have|doesn't have|unexpected|difficulty"
        r"|once more)\b",
    ),
    (
        "done",
        r"\bsuccessful(?:ly)?\b|\b(?:has|have|is|are|was|were)(?: now| been| already"
        r"| all)* (?:cancell?ed|updated|changed|processed|completed?|booked|sent|issued"
        r"|refunded|returned|exchanged|modified|submitted|created|added|removed|deleted|placed"
        r"|confirmed|scheduled|fixed|resolved|restored|enabled|applied|set|done|initiated"
        r"|requested)\b|\ball set\b|\ball done\b|\b(?:i've|i have)(?: now| just"
        r"| successfully)* (?:cancell?ed|updated|changed|processed|completed|booked|sent"
        r"|issued|refunded|returned|exchanged|modified|submitted|created|added|removed|deleted"
        r"|placed|scheduled|fixed|applied|set|initiated)\b",
    ),
    (
        "refuses",
        r"\b(?:i cannot|i can't|i am unable|i'm unable|i am not able|i'm not able|cannot be"
        r"|can't be|not permitted|not allowed|against (?:our|the) policy|i won't"
        r"|i must decline|i have to decline)\b",
    ),
    (
        "agrees",
        r"\bgo ahead\b|\bplease proceed\b|\bproceed (?:with|to)\b"
        r"|\byes,? (?:please )?proceed\b|\bi confirm\b|\bplease do (?:so|it|that)\b|\bdo it\b",
    ),
    (
        "wants",
        r"[?？]|\bplease\b|\bcan you\b|\bcould you\b|\bwould you\b|\bi(?:'d| would) like\b"
        r"|\bi want\b|\bi need\b|\bhelp me\b",
    ),
    (
        "closes",
        r"\b(?:that's all|that is all|that'll be all|that will be all|that's it"
        r"|that's everything|all i needed|all i need|nothing else|nothing more|nothing further"
        r"|no further|no more questions|no other questions|don't need anything|don't have any"
        r"|all set|i'm good|have a (?:great|good|nice|wonderful|lovely)|good ?bye|bye"
        r"|take care|you too|that works|sounds good|no(?:,| )? ?thank|no(?:,| )? ?thanks)\b",
    ),
    (
        "thanks",
        r"\b(?:thank|thanks|thx|appreciate|appreciated|cheers)\b",
    ),
    (
        "declines",
        r"\b(?:i won't|i will not|i'd rather not|i don't want|i do not want|not interested"
        r"|never mind|nevermind|forget it|won't be able|can't proceed|no choice)\b",
    ),
    (
        "corrects",
        r"\bthat's not\b|\bthat is not\b|\bthat's wrong\b|\bnot what i\b|\bi (?:said|meant"
        r"|asked for|already (?:told|said|gave|provided))\b|\byou (?:missed|forgot"
        r"|got it wrong|misunderstood|made a mistake|said|told me|promised)\b|\bincorrect\b"
        r"|\b(?:that|this|it) (?:can't|cannot) be (?:right|true|correct)\b"
        r"|\b(?:that|this) is wrong\b|\bi (?:gave|told) you\b|\bsays (?:something different|otherwise)\b"
        r"|\b(?:check|look|try) again\b|\bstill (?:no|shows?|says?|see)\b",
    ),
    (
        "frustrated",
        r"\b(?:frustrat\w+|ridiculous|unacceptable|annoy\w+|disappoint\w+|terrible|awful"
        r"|useless|waste of (?:my )?time|fed up|angry|upset|not helpful|doesn't help|come on"
        r"|this is absurd|still (?:not|doesn't|isn't|can't)|how many times|again and again"
        r"|keep (?:asking|repeating))\b|!!",
    ),
    (
        "wants_person",
        r"\b(?:human|supervisor|manager|representative|real person|live agent|someone else"
        r"|another agent)\b|\btransfer(?:red)? me\b|\b(?:speak|talk|speaking|talking) (?:to"
        r"|with) (?:a|an|some\w*)\b",
    ),
    (
        "hands_over",
        r"\bbeing (?:transferred|escalated|connected|handed over)\b|\b(?:transferr?(?:ed|ing)?"
        r"|escalat(?:e|ed|ing)|connect(?:ed|ing)?|hand(?:ed|ing)?) (?:you|this"
        r"|your \w+)(?: over)? to (?:a |an |the |our )?(?:\w+ )?(?:human|agent|specialist"
        r"|supervisor|team|person|support|representative)\b",
    ),
)
"""Name and pattern, in the order of the numbers that the engine answers with."""

NAMES = tuple(name for name, _ in PHRASES)
PATTERNS = tuple(pattern for _, pattern in PHRASES)
