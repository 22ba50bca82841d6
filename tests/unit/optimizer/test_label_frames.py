"""The chance of being labelled, over samples that overlap."""

import json

import pytest

from spanloop.optimizer.satisfaction.label_frames import Frame, frame, probability

EVERYTHING = Frame(agent="", release="", since=0.0, until=100.0, share=0.1)
ONE_AGENT = Frame(agent="a", release="", since=0.0, until=100.0, share=0.5)


def test_what_two_samples_cover_is_counted_once() -> None:
    frames = [EVERYTHING, ONE_AGENT]
    assert probability(frames, [], agent="a", release="", start=5.0) == pytest.approx(0.55)
    assert probability(frames, [], agent="b", release="", start=5.0) == pytest.approx(0.1)


def test_what_came_after_the_draw_had_no_chance() -> None:
    assert probability([EVERYTHING], [], agent="a", release="", start=100.0) is None


def test_a_label_from_elsewhere_brings_its_own_probability() -> None:
    assert probability([], [0.2], agent="a", release="", start=5.0) == pytest.approx(0.2)


def test_a_half_labelled_sample_is_a_smaller_sample() -> None:
    filters = json.dumps({"agent": "", "release": "r", "since": "1970-01-01", "stratified": False})
    read = frame(filters, "", drawn_at=9.0, population=200, labelled=20)
    assert read == Frame(agent="", release="r", since=0.0, until=9.0, share=0.1)


def test_a_stratified_sample_has_a_frame_per_agent() -> None:
    filters = json.dumps({"agent": "", "release": "", "since": None, "stratified": True})
    read = frame(filters, "a", drawn_at=9.0, population=0, labelled=0)
    assert (read.agent, read.share) == ("a", 0.0)
    assert read.holds("a", "any", -1e9)
    assert not read.holds("b", "any", 0.0)
