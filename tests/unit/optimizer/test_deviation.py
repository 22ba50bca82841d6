"""Stories with a planted cause: the step that went wrong first must come out on top."""

from typing import Any

from spanloop.optimizer.patterns.deviation import WEIGHTS, Located, rank_steps
from spanloop.optimizer.patterns.provenance import Step, plain_numbers, trace_origins

REQUEST = Step(
    number=0, kind="request", words=frozenset({"cost", "tickets", "museum", "family", "four"})
)


def said(number: int, agent: str, words: str, **more: Any) -> Step:
    return Step(
        number=number, kind="assistant", agent=agent, words=frozenset(words.split()), **more
    )


def called(number: int, agent: str, name: str, words: str, **more: Any) -> Step:
    return Step(
        number=number,
        kind="tool",
        agent=agent,
        name=name,
        words=frozenset(words.split()),
        **more,
    )


PLAN = said(1, "planner", "find cost tickets museum family four times compare passes")
CLOSING = said(
    5, "checker", "everything checked family pays total", numbers=frozenset({"20", "160"})
)


def ranked(*steps: Step) -> list[int]:
    return [suspicion.step for suspicion in rank_steps([REQUEST, *steps])]


def test_whoever_states_the_figures_that_the_answer_rests_on_is_suspected() -> None:
    steps = (
        PLAN,
        said(2, "pricing", "looking prices please hold moment"),
        said(3, "pricing", "adult ticket price museum costs", numbers=frozenset({"20", "18"})),
        said(4, "budget", "multiply price visits total equals", numbers=frozenset({"160"})),
        CLOSING,
    )
    result = rank_steps([REQUEST, *steps])
    assert result[0].step == 3
    assert result[0].reasons[:2] == ("first_unbacked", "first_of_answer")
    assert Located(trajectory_id="t", ranked=tuple(result)).agent == "pricing"


def test_a_hand_off_that_lost_the_request_is_the_cause() -> None:
    lost = said(1, "planner", "resolve exit code unknown language debug script please")
    asks = said(2, "coder", "provide code causing failure please share")
    steps = (lost, asks, said(3, "checker", "script works well closing conversation thanks"))
    assert ranked(*steps)[0] == 1
    assert rank_steps([REQUEST, *steps])[0].reasons[0] == "lost_request"


def test_an_agent_that_talks_to_the_user_hands_nothing_off() -> None:
    steps = (
        said(1, "support", "please tell email address authenticate first"),
        Step(number=2, kind="user", words=frozenset({"here"})),
    )
    assert "lost_request" not in rank_steps([REQUEST, *steps])[0].reasons


def test_the_author_of_failing_code_is_blamed_not_who_runs_it() -> None:
    code = "import pandas read weather file houston rows mean"
    steps = (
        PLAN,
        said(2, "coder", f"{code} run", code_length=200),
        called(3, "terminal", "execute", code, failed=True),
        CLOSING,
    )
    result = {suspicion.step: suspicion for suspicion in rank_steps([REQUEST, *steps])}
    assert "first_failure" in result[2].reasons
    assert result[3].score < 0 < result[2].score


def test_a_change_that_fails_is_suspected_and_a_look_that_fails_less() -> None:
    steps = (
        called(1, "support", "find_user", "email", failed=True),
        called(2, "support", "get_order", "number seven", result_numbers=frozenset({"7"})),
        called(3, "support", "modify_order", "number seven address", failed=True),
        said(4, "support", "sorry cannot changed address anymore today"),
    )
    assert ranked(*steps)[0] == 3


def test_a_number_that_no_tool_gave_stands_out() -> None:
    steps = (
        called(
            1, "support", "list_items", "shirts", result_numbers=frozenset({"46.66", "53.27", "12"})
        ),
        said(
            2,
            "support",
            "currently eleven shirt options available online",
            numbers=frozenset({"11"}),
        ),
        said(3, "support", "cheapest shirt costs price available", numbers=frozenset({"46.66"})),
    )
    assert ranked(*steps)[0] == 2


def test_a_difference_of_what_tools_gave_is_backed() -> None:
    tool = called(1, "support", "get_order", "order", result_numbers=frozenset({"46.66", "53.27"}))
    told = said(2, "support", "refund difference will paid back", numbers=frozenset({"6.61"}))
    assert trace_origins(REQUEST, [tool, told]).unbacked[2] == 0


def test_a_page_that_is_passed_on_is_no_claim() -> None:
    page = said(
        2,
        "browser",
        "page shows museum opening hours prices",
        prose_length=4_000,
        numbers=frozenset(str(n) for n in range(1_000, 1_030)),
    )
    origins = trace_origins(REQUEST, [PLAN, page])
    assert origins.reports == {2}
    assert origins.unbacked[2] == 0


def test_equal_steps_rank_in_order_and_users_not_at_all() -> None:
    steps = (
        said(1, "support", "hello"),
        Step(number=2, kind="user", words=frozenset({"hello"})),
        said(3, "support", "hello"),
    )
    assert ranked(*steps) == [1, 3]


def test_what_the_opening_messages_of_the_user_give_is_backed() -> None:
    steps = (
        Step(number=1, kind="user", numbers=frozenset({"76171"})),
        said(2, "a", "zip code noted thanks checking", numbers=frozenset({"76,171"})),
        said(3, "b", "zip code confirmed again fine"),
    )
    assert rank_steps([REQUEST, *steps])[0].step == 2
    assert all("first_unbacked" not in s.reasons for s in rank_steps([REQUEST, *steps]))


def test_runs_without_steps_of_agents_have_no_ranking() -> None:
    assert rank_steps([]) == []
    assert rank_steps([REQUEST, Step(number=1, kind="user")]) == []
    assert Located(trajectory_id="t", ranked=()).agent == ""


def test_reasons_are_known_signals_or_the_symptoms_of_the_step() -> None:
    steps = (PLAN, said(2, "a", "cut off here", symptoms=("loop",), symptom_weight=0.8), CLOSING)
    for suspicion in rank_steps([REQUEST, *steps]):
        assert set(suspicion.reasons) <= set(WEIGHTS) | {"loop"}
        assert ("loop" in suspicion.reasons) == (suspicion.step == 2)


def test_numbers_are_compared_by_value() -> None:
    assert plain_numbers(frozenset({"1,200.50", "481.50", "007"})) == {"1200.5", "481.5", "7"}
    assert plain_numbers(frozenset({"12345678901"})) == {"12345678901"}  # an id, not a quantity
