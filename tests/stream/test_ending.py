"""How a command tells the one that started it how it ends."""

from __future__ import annotations

from libra_cli.stream.ending import COUNTS, ERROR, VARIABLE, take, tell


def test_the_first_that_fails_is_believed_and_no_secret_is_told(tmp_path, monkeypatch):
    path = tmp_path / "a.ending"
    monkeypatch.setenv(VARIABLE, str(path))
    tell(ERROR, "no such model: http://me:secret@host/v1")
    tell(ERROR, "rank 0 ended with status 6")
    tell(COUNTS, "1 in = 0 out")
    with open(path, "ab") as file:
        file.write(b'{"event": "error", "mess')  # the disk was full
    assert take(str(path)) == {ERROR: "no such model: http://me:***@host/v1", COUNTS: "1 in = 0 out"}
    assert not path.exists()
    assert take(str(path)) == {}


def test_nothing_is_told_to_nobody_or_where_that_cannot_be(tmp_path, monkeypatch):
    monkeypatch.delenv(VARIABLE, raising=False)
    tell(ERROR, "why")
    monkeypatch.setenv(VARIABLE, str(tmp_path / "gone" / "a.ending"))
    tell(ERROR, "why")
    assert list(tmp_path.iterdir()) == []
