from typing import Any

import numpy as np
from scipy import sparse

from spanloop.optimizer.satisfaction.peers import (
    PEER_NAMES,
    Step,
    canonical,
    facts,
    peer_numbers,
    peer_weights,
)
from spanloop.optimizer.satisfaction.text import said_similarity
from spanloop.optimizer.satisfaction.tools import Effect

KINDS = {
    "change_it": Effect.CHANGES,
    "look_it_up": Effect.READS,
    "give_away": Effect.HANDS_OVER,
}


def call(name: str, arguments: str, status: str = "ok") -> Step:
    return Step("tool", name, status, "", arguments)


def answer(text: str) -> Step:
    return Step("assistant", "", "", text, "")


def column(numbers: np.ndarray, name: str) -> list[float]:
    return [float(v) for v in numbers[:, PEER_NAMES.index(name)]]


def everybody(n: int) -> Any:
    return peer_weights(sparse.csr_array(np.ones((n, n))))


def test_arguments_are_compared_whatever_their_order_and_case() -> None:
    assert canonical('{"b": ["Y", "x"], "a": 2.0}') == canonical('{"a": 2, "b": ["x", "y "]}')
    assert canonical("not JSON ") == "not json"
    assert canonical("") == {}


def test_only_changes_that_succeeded_are_facts() -> None:
    run = [
        call("look_it_up", '{"id": "a"}'),
        call("change_it", '{"id": "a", "to": 5}'),
        call("change_it", '{"id": "b"}', "error"),
        answer("It is 1,250 now."),
    ]
    found = facts(run, KINDS)
    assert found.changing_tools == {"change_it"}
    assert len(found.changes) == 1
    assert found.values == {("change_it", "id", "a"), ("change_it", "to", "5")}
    assert not found.handover
    assert found.numbers == {"1250"}
    assert len(found.reads) == 1


def test_an_unknown_tool_reads_and_a_handover_is_a_fact() -> None:
    found = facts([call("never_seen", "{}"), call("give_away", "{}")], KINDS)
    assert not found.changes
    assert found.handover == {"handed"}


def test_who_does_as_its_peers_do_agrees_more() -> None:
    same = facts([call("change_it", '{"to": 1}')], KINDS)
    other = facts([call("change_it", '{"to": 2}')], KINDS)
    numbers = peer_numbers([same, same, same, other], everybody(4))
    agreed = column(numbers, "same_changes")
    assert agreed[0] == agreed[1] == agreed[2] > agreed[3]
    peers_agree = column(numbers, "peers_agree_changes")
    assert peers_agree[3] > peers_agree[0]  # the peers of the odd one out agree among themselves


def test_without_peers_nothing_is_known() -> None:
    alone = facts([], KINDS)
    numbers = peer_numbers([alone, alone], peer_weights(sparse.csr_array((2, 2))))
    assert column(numbers, "peers") == [0.0, 0.0]
    assert np.isnan(numbers[:, 1:]).all()


def test_nobody_is_its_own_peer_and_only_the_nearest_count() -> None:
    weights = peer_weights(sparse.csr_array(np.ones((30, 30))))
    assert np.diff(weights.indptr).max() == 20
    assert not weights.diagonal().any()


def test_similarity_is_of_what_users_said() -> None:
    said = [
        "please move parcel zx81 to oslo",
        "move my parcel zx81, to oslo please",
        "the invoice of march is wrong",
        "how warm is the north sea",
        "sing me something",
    ]
    similarity = said_similarity(said).toarray()
    assert similarity[0, 1] > 0.5
    assert similarity[0, 2] == similarity[0, 3] == 0.0


def test_no_words_no_similarity() -> None:
    assert said_similarity(["", ""]).nnz == 0
