-- Number the items of each trajectory in order of the calls that tell them. A call to transfer is a handoff when the agent that
-- it names acts next.
INSERT INTO {{ table('assembly_steps') }}
SELECT
    N, Step,
    if(HandedTo != '', 'handoff', Kind), Agent, if(HandedTo != '', HandedTo, Name),
    CallId, Status, ErrorType, FinishReason, Model, Timestamp, DurationNs, TraceId, SpanId,
    SpanKey, Side, Message, Part, ToolKey, ResponseKey, ResponseMessage, ResponsePart
FROM (
    SELECT *,
        row_number() OVER (PARTITION BY N ORDER BY Start, SpanKey, Position) AS Step,
        leadInFrame(Agent::String) OVER (
            PARTITION BY N ORDER BY Start, SpanKey, Position ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING) AS NextAgent,
        if(Kind = 'tool' AND match(lower(Name), '^(transfer|hand_?-?off|delegate)') AND NextAgent NOT IN ('', Agent)
            AND position(replaceRegexpAll(lower(Name), '[^0-9a-z]', ''), replaceRegexpAll(lower(NextAgent), '[^0-9a-z]', '')) > 0,
           NextAgent, '') AS HandedTo
    FROM {{ table('assembly_items') }}
)
