"""Dead letters are kept, listed and read back, even when their notes are damaged."""

from __future__ import annotations

import errno
from pathlib import Path

import pytest

from spanloop.processor.errors import PermanentError
from spanloop.receiver import files
from spanloop.receiver.dead_letters import DeadLetters
from spanloop.receiver.record import Envelope, frame

CONTENT = b"".join(frame(b"\x0a\x00", Envelope(project="p", received_ns=1, batch_id=bytes(16))))


@pytest.fixture
def letters(tmp_path: Path) -> DeadLetters:
    return DeadLetters(tmp_path / "dead-letters")


def test_none_without_a_directory(letters: DeadLetters) -> None:
    assert list(letters) == []
    assert len(letters) == 0
    with pytest.raises(PermanentError, match="no dead letter 'x'"):
        letters.read("x")


def test_what_was_added_is_listed_and_read_back(letters: DeadLetters) -> None:
    letter_id = letters.add("traces", CONTENT, "bad", rows=3)
    (listed,) = letters
    assert (listed.id, listed.signal, listed.reason, listed.rows) == (letter_id, "traces", "bad", 3)
    assert listed.n_bytes == len(CONTENT)
    letter, records = letters.records(letter_id)
    assert letter == listed
    assert [record.body for record in records] == [b"\x0a\x00"]


def test_damaged_bytes_hold_no_records(letters: DeadLetters) -> None:
    letter_id = letters.add("logs", CONTENT, "damaged bytes")
    assert letters.records(letter_id)[1] == []


def test_a_removed_letter_is_gone(letters: DeadLetters, tmp_path: Path) -> None:
    letters.remove(letters.add("traces", CONTENT, "bad"))
    assert len(letters) == 0
    assert list((tmp_path / "dead-letters").iterdir()) == []


@pytest.mark.parametrize("letter_id", ["../secret", "/etc/passwd", "", "*"])
def test_an_id_is_never_a_path(letters: DeadLetters, tmp_path: Path, letter_id: str) -> None:
    letters.add("traces", CONTENT, "bad")
    (tmp_path / "secret.json").write_text("{}")
    with pytest.raises(PermanentError, match="no dead letter"):
        letters.read(letter_id)


@pytest.mark.parametrize("note", [b"", b"[]", b"{}", b'{"signal":"spans"}', b"\xff"])
def test_a_damaged_note_is_listed_as_such(
    letters: DeadLetters, tmp_path: Path, note: bytes
) -> None:
    letter_id = letters.add("metrics", CONTENT, "bad")
    (tmp_path / "dead-letters" / f"{letter_id}.json").write_bytes(note)
    (listed,) = letters
    assert listed.signal == "metrics"
    assert "note" in listed.reason
    assert listed.n_bytes == len(CONTENT)
    assert len(letters) == 1


def test_a_full_disk_leaves_nothing_half_written(
    letters: DeadLetters, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(fd: int, pieces: list[bytes]) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(files, "write_all", full)
    with pytest.raises(OSError, match="No space"):
        letters.add("traces", CONTENT, "bad")
    assert list((tmp_path / "dead-letters").iterdir()) == []


def test_the_letter_of_a_segment_is_one_letter_however_often_it_is_added(tmp_path: Path) -> None:
    letters = DeadLetters(tmp_path / "dead")
    first = letters.add("traces", b"content", "why", rows=1, batch_id=bytes(16))
    assert letters.add("traces", b"content", "why", rows=1, batch_id=bytes(16)) == first
    assert [letter.id for letter in letters] == [first]
