"""`libra review` at a terminal: what a person sees at 80x24, what is written, and that nothing is lost."""

from __future__ import annotations

import gzip
import json
import re
import signal

import pytest
from pseudo_terminal import PseudoTerminal

COMMAND = ["libra", "review", "rows.jsonl", "-o", "labels.jsonl", "--reviewer", "ann"]


def row(number, **more):
    votes = [
        {"annotator": "rule", "verdict": "wrong", "reason": None, "by": "structure"},
        {"annotator": "weak", "verdict": "correct", "reason": None, "provenance": {}, "text": "Same set.\n[[Correct]]"},
        {"annotator": "strong", "verdict": None, "reason": "no_verdict", "provenance": {}, "text": "I cannot say."},
    ]
    verification = {"by": "panel", "answer": rf"[{number},\infty)", "reason": "disagreement", "votes": votes}
    steps = "\n".join(f"step {step}" for step in range(40))
    named = {"id": f"p{number}", "model": "A", "sample": number, "question": f"Question {number}: where is f defined?"}
    answered = {
        "reference": rf"({number},\infty)",
        "response": f"<think>hidden</think>{steps}\n\\boxed{{[{number},\\infty)}}",
    }
    return {**named, **answered, "label": None, "verification": verification, **more}


@pytest.fixture
def at_terminal(tmp_path, environment):
    """Starts `libra review` on rows at a pseudo-terminal."""

    def start(*rows, words=COMMAND, **more):
        if rows:
            (tmp_path / "rows.jsonl").write_text("".join(json.dumps(each) + "\n" for each in rows))
        return PseudoTerminal(words, tmp_path, environment, **more)

    return start


@pytest.fixture
def labels(tmp_path):
    """The lines of the labels file, as they are now."""
    return lambda: [json.loads(line) for line in (tmp_path / "labels.jsonl").read_text().splitlines()]


def verdicts(labels):
    return [(each["id"], each["label"]) for each in labels]


def test_the_screen_shows_what_is_to_be_judged_and_the_end_of_the_response(at_terminal):
    with at_terminal(row(0), row(1)) as terminal:
        screen = terminal.wait_for("Question 0", "q quit")
        terminal.press("q")
        assert terminal.end() == 0
    named = ("1 of 2", "labelled 0", "skipped 0", "rule", "weak", "strong", "structure", "no_verdict")
    for shown in (*named, r"(0,\infty)", r"[0,\infty)", "step 39", r"\boxed{[0,\infty)}"):
        assert shown in screen
    assert "hidden" not in screen
    assert len(screen.split("\n")) == 24


def test_a_row_on_which_only_the_rule_was_asked_shows_what_it_said(at_terminal):
    undecided = row(0, verification={"by": "symbolic", "answer": "7", "reason": "timeout"})
    with at_terminal(undecided, {"response": "no more than that"}) as terminal:
        assert re.search("rule +none +symbolic, timeout", terminal.wait_for("Question 0", "q quit"))
        terminal.press("y")
        assert "rule" not in terminal.wait_for("no more than that")
        terminal.press("q")
        assert terminal.end() == 0


def test_keys_label_skip_note_and_undo(at_terminal, labels):
    with at_terminal(*(row(n) for n in range(5))) as terminal:
        terminal.wait_for("Question 0")
        terminal.press("y")
        terminal.wait_for("Question 1", "labelled 1")
        terminal.press("s")
        terminal.wait_for("Question 2", "skipped 1")
        terminal.press("tän open end: 開\r")
        terminal.wait_for("Question 2", "än open end: 開")
        terminal.press("n")
        terminal.wait_for("Question 3")
        terminal.press("y")
        terminal.wait_for("Question 4", "labelled 3")
        terminal.press("u")
        terminal.wait_for("Question 3", "labelled 2")
        terminal.press("n")
        terminal.wait_for("Question 4", "labelled 3")
        terminal.press("q")
        assert terminal.end() == 0
        assert terminal.modes == terminal.modes_before
    found = [each for each in labels() if each["label"] is not None]
    assert verdicts(found) == [("p0", 1), ("p2", 0), ("p3", 0)]
    assert found[1]["note"] == "än open end: 開"
    assert {each["reviewer"] for each in found} == {"ann"}
    assert all(re.fullmatch(r"[0-9a-f]{16}", each["response_sha256"]) for each in found)
    assert found[0].keys() == {"id", "model", "sample", "response_sha256", "label", "reviewer", "time"}


def test_a_typing_error_says_so_and_labels_nothing(at_terminal, labels, tmp_path):
    with at_terminal(row(0)) as terminal:
        terminal.wait_for("Question 0")
        terminal.press("x")
        terminal.wait_for("x", "?", "Question 0")
        for sequence in ("\x1b[0n", "\x1b[?2004;1$y", "\x1b[200~yes, n and y\x1b[201~", "\x1bn", b"\xff\xfe"):
            terminal.press(sequence)
        terminal.press("\x1b[")  # a slow line: the rest of the sequence comes later
        terminal.wait_for("Question 0")
        terminal.press("0n?")
        terminal.wait_for("undo", "PgUp")
        terminal.press(" q")
        assert terminal.end() == 0
    assert not (tmp_path / "labels.jsonl").exists() or labels() == []


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM, signal.SIGHUP, signal.SIGINT])
def test_a_review_that_ends_in_any_way_goes_on_where_it_was(at_terminal, labels, tmp_path, number):
    with at_terminal(*(row(n) for n in range(3))) as terminal:
        terminal.wait_for("Question 0")
        terminal.press("y")
        terminal.wait_for("Question 1")
        terminal.signal(number)
        status = terminal.end()
        assert status != 0
        assert number == signal.SIGKILL or (terminal.modes == terminal.modes_before and b"\x1b[?1049l" in terminal.raw)
    assert verdicts(labels()) == [("p0", 1)]
    with open(tmp_path / "labels.jsonl", "ab") as file:
        file.write(b'{"id":"p1","mod')  # as a power cut leaves it
    with at_terminal() as terminal:
        terminal.wait_for("Question 1")
        terminal.press("y")
        terminal.wait_for("Question 2")
        terminal.press("n")
        terminal.press("q")
        assert terminal.end() == 0
    assert verdicts(labels()) == [("p0", 1), ("p1", 1), ("p2", 0)]
    assert not (tmp_path / "labels.jsonl.lock").exists()


def test_a_terminal_that_hangs_up_loses_nothing(at_terminal, labels):
    with at_terminal(row(0), row(1)) as terminal:
        terminal.wait_for("Question 0")
        terminal.press("y")
        terminal.wait_for("Question 1")
        terminal.hang_up()
        assert terminal.end() != 0
    assert verdicts(labels()) == [("p0", 1)]


def test_the_next_start_shows_what_was_skipped_last_and_undo_reaches_back(at_terminal, labels):
    with at_terminal(*(row(n) for n in range(4))) as terminal:
        terminal.wait_for("Question 0")
        terminal.press("s")
        terminal.wait_for("Question 1")
        terminal.press("y")
        terminal.wait_for("Question 2")
        terminal.press("q")
        terminal.end()
    with at_terminal() as terminal:
        terminal.wait_for("Question 2")
        terminal.press("u")
        terminal.wait_for("Question 1")
        terminal.press("n")
        terminal.wait_for("Question 2")
        terminal.press("y")
        terminal.wait_for("Question 3")
        terminal.press("y")
        terminal.wait_for("Question 0")
        terminal.press("q")
        assert terminal.end() == 0
    found = {each["id"]: each["label"] for each in labels() if each["label"] is not None}
    assert found == {"p1": 0, "p2": 1, "p3": 1}


def test_what_a_model_wrote_cannot_act_on_the_terminal(at_terminal):
    evil = "a\x1b[2J\x1b]0;owned\x07\x1b]52;c;eHg=\x07\x9b31m\x90q\x9c\rover\bwritten \u202edetrevni\u2066 \x00\x7f end"
    votes = [{"annotator": f"m{evil}", "verdict": "wrong", "reason": evil, "provenance": {}, "text": evil}]
    poisoned = row(
        0,
        id=evil,
        question=evil,
        reference=evil,
        response=evil,
        model=evil,
        verification={"by": evil, "answer": evil, "reason": evil, "votes": votes},
    )
    with at_terminal(poisoned) as terminal:
        terminal.wait_for("end", "q quit")
        terminal.press("\t")
        terminal.press("\t")
        terminal.press("t\x1b\x07x\r?  q")
        terminal.end()
    known = re.sub(rb"\x1b\[(\d+;\d+H|\d*;?\d*H|[\d;]*m|\d?[JK]|\?(1049|25|2004|7)[hl])", b"", terminal.raw)
    assert not re.search(
        rb"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]|\xc2[\x80-\x9f]|\xe2\x80[\xaa-\xae]|\xe2\x81[\xa6-\xa9]", known
    )


def test_wide_characters_and_a_megabyte_fit_the_screen(at_terminal, labels):
    wide = "漢字e\u0301👩\u200d👩\u200d👧 \u200b" * 80_000 + "\nthe end"
    with at_terminal(row(0, response=wide), row(1, response="x" * 1_000_000 + " tail")) as terminal:
        terminal.wait_for("the end", "q quit")
        terminal.press("\x1b[5~kkk")
        terminal.press("y")
        screen = terminal.wait_for("Question 1", "tail", "q quit")
        terminal.press("gG")
        terminal.press("n")
        terminal.wait_until(lambda: len(labels()) == 2)
        terminal.press("q")
        terminal.end()
    assert screen.startswith("libra review")


def test_a_small_or_changing_window_redraws(at_terminal):
    with at_terminal(row(0)) as terminal:
        terminal.wait_for("Question 0")
        terminal.resize((30, 6))
        terminal.wait_for("too small")
        terminal.press("y")  # nobody can see what they label
        terminal.resize((100, 30))
        screen = terminal.wait_for("Question 0", "labelled 0", "q quit")
        assert len(screen.split("\n")) == 30
        terminal.press("q")
        terminal.end()


def test_a_terminal_without_a_size_is_taken_for_80x24(at_terminal):
    with at_terminal(row(0), size=(80, 24)) as terminal:
        terminal.wait_for("Question 0")
        terminal.resize((0, 0))
        terminal.press("x")
        assert "too small" not in terminal.wait_for("Question 0")
        terminal.press("q")
        assert terminal.end() == 0


def test_rows_through_a_pipe_leave_the_keyboard_free(at_terminal, labels, tmp_path):
    (tmp_path / "in.jsonl").write_text("".join(json.dumps(row(n)) + "\n" for n in range(2)))
    with at_terminal(words=["libra", "review", "-", "-o", "labels.jsonl"], stdin=tmp_path / "in.jsonl") as terminal:
        terminal.wait_for("Question 0")
        terminal.press("n")
        terminal.wait_for("Question 1")
        terminal.press("q")
        assert terminal.end() == 0
    assert verdicts(labels()) == [("p0", 0)]


def test_compressed_rows_are_read(at_terminal, tmp_path):
    (tmp_path / "rows.jsonl.gz").write_bytes(gzip.compress(json.dumps(row(7)).encode() + b"\n"))
    with at_terminal(words=["libra", "review", "rows.jsonl.gz", "-o", "labels.jsonl"]) as terminal:
        terminal.wait_for("Question 7")
        terminal.press("q")
        assert terminal.end() == 0


def test_ctrl_z_and_fg(at_terminal, labels, tmp_path, environment):
    (tmp_path / "rows.jsonl").write_text("".join(json.dumps(row(n)) + "\n" for n in range(2)))
    shell = ["bash", "--norc", "--noprofile", "-i"]
    with at_terminal(words=shell) as terminal:
        terminal.press("PS1='ready> '\n")
        terminal.press(" ".join(COMMAND) + "\n")
        terminal.wait_for("Question 0", "q quit")
        terminal.press("\x1a")
        terminal.wait_for("Stopped")
        terminal.press("echo still $((40 + 2))\n")
        terminal.wait_for("still 42")
        terminal.press("fg\n")
        terminal.wait_for("Question 0", "q quit")
        terminal.press("y")
        terminal.wait_for("Question 1")
        terminal.press("q")
        terminal.wait_until(lambda: b"ready> " in terminal.raw[-200:])
        terminal.press("exit\n")
        terminal.end()
    assert verdicts(labels()) == [("p0", 1)]


def test_two_reviewers_do_not_share_a_file(at_terminal, shell):
    with at_terminal(row(0)) as terminal:
        terminal.wait_for("Question 0")
        with at_terminal() as second:
            assert second.end() == 11
            assert "labels.jsonl.lock" in second.text
        terminal.press("q")
        terminal.end()


def test_blind_shows_no_verdict(at_terminal):
    with at_terminal(row(0), words=[*COMMAND, "--blind"]) as terminal:
        terminal.wait_for("Question 0", "q quit")
        terminal.press("\t\t\t")
        terminal.press("?")
        terminal.wait_for("PgUp")
        terminal.press(" q")
        terminal.end()
    for hidden in (b"weak", b"strong", b"disagreement", b"Same set"):
        assert hidden not in terminal.raw


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_note_that_is_being_written_is_kept_whatever_ends_the_review(at_terminal, labels, number):
    with at_terminal(row(0), row(1)) as terminal:
        terminal.wait_for("Question 0")
        terminal.press("tan open e")
        terminal.wait_for("Note: an open e")
        terminal.signal(number)
        assert terminal.end() == {signal.SIGTERM: 143, signal.SIGINT: 130}[number]
    assert [(each["label"], each["note"]) for each in labels()] == [(None, "an open e")]
    with at_terminal() as terminal:
        terminal.wait_for("Question 1")
        terminal.press("y")
        terminal.wait_for("Question 0", "Note      an open e")
        terminal.press("t\x15closed\r")
        terminal.wait_for("Note      closed")
        terminal.press("tnot this")
        terminal.wait_for("Note: closednot this")
        terminal.press("\x1b")
        terminal.wait_for("q quit", "Note      closed")
        terminal.press("n")
        terminal.wait_for("2 of 2 are labelled")
        terminal.press("q")
        assert terminal.end() == 0
    assert (labels()[-1]["label"], labels()[-1]["note"]) == (0, "closed")


def test_the_last_label_can_be_taken_back_and_what_was_skipped_comes_again(at_terminal, labels):
    with at_terminal(row(0), row(1)) as terminal:
        terminal.wait_for("Question 0")
        terminal.press("s")
        terminal.wait_for("Question 1")
        terminal.press("y")
        terminal.wait_for("1 of 2 are labelled", "the 1 that you skipped")
        terminal.press("u")
        terminal.wait_for("Question 1", "taken back: correct")
        terminal.press("n")
        terminal.wait_for("1 of 2 are labelled")
        terminal.press("s")
        terminal.wait_for("Question 0")
        terminal.press("y")
        terminal.wait_for("2 of 2 are labelled")
        terminal.press("uuuu")
        terminal.wait_for("Question 0", "nothing to undo", "labelled 0", "skipped 0")
        terminal.press("q")
        assert terminal.end() == 0
    assert labels() == []


def test_a_file_that_changes_during_the_review_ends_it(at_terminal, labels, tmp_path):
    with at_terminal(row(0), row(1)) as terminal:
        terminal.wait_for("Question 0")
        other = json.dumps(row(0)) + "\n" + json.dumps(row(1, response="something else")) + "\n"
        (tmp_path / "rows.jsonl").write_text(other)
        terminal.press("y")
        assert terminal.end() == 7
        assert "rows.jsonl:2: the file has changed" in terminal.text.replace("\n", "")
    assert verdicts(labels()) == [("p0", 1)]


def test_everything_fits_the_smallest_window(at_terminal):
    long = "many words " * 100
    votes = [{"annotator": f"model-{n}", "verdict": "wrong", "reason": None, "text": long} for n in range(9)]
    verification = {"by": "panel", "answer": long, "reason": "disagreement", "votes": votes}
    crowded = row(0, question=long, reference=long, verification=verification)
    with at_terminal(crowded, size=(60, 16)) as terminal:
        terminal.wait_for("libra review", "step 39", "boxed", "model-0", "and 8 more annotators")
        terminal.press("tnoted\r")
        terminal.wait_for("Note      noted", "n incorrect", "boxed")
        terminal.press("q")
        assert terminal.end() == 0
