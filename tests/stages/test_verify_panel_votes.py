"""From verdicts to labels: every way in which rule, models and people can agree or not."""

from __future__ import annotations

from itertools import product

import pytest

from libra_cli.records import label_votes
from libra_cli.records.label_votes import ALSO, FIRST, NEVER, ONLY, settled, wants_panel
from libra_cli.stages.verify.report import PANEL_VERDICTS, RULE_VERDICTS, AgreementReport, table

VERDICTS = ("correct", "wrong", None)


def ruled(verdict, by="exact"):
    reason = {} if verdict else {"reason": "too_hard"}
    return {
        "label": label_votes.LABELS.get(verdict),
        "verification": {"by": by, "answer": "7", **reason},
        "task": "score",
    }


def model(verdict, name="m"):
    reason = None if verdict else "no_verdict"
    return {"annotator": name, "verdict": verdict, "reason": reason, "provenance": {}}


def label_of(rule, *panel, mode, by="exact", human=None):
    fields = settled(ruled(rule, by), [model(said, f"m{n}") for n, said in enumerate(panel)], human, mode)
    return fields["label"], fields["verification"]["by"], fields["verification"].get("reason")


@pytest.mark.parametrize("rule", VERDICTS)
@pytest.mark.parametrize("panel", list(product(VERDICTS, repeat=2)))
@pytest.mark.parametrize("mode", [FIRST, NEVER, ALSO])
def test_only_unanimous_verdicts_label(rule, panel, mode):
    label, by, reason = label_of(rule, *panel, mode=mode)
    if mode == FIRST and rule:
        assert (label, by, reason) == (label_votes.LABELS[rule], "exact", None)
        return
    counts = mode == ALSO and rule is not None
    said = {*panel, *([rule] if counts else [])}
    assert by == ("rule+panel" if counts else "panel")
    if {"correct", "wrong"} <= said:
        assert (label, reason) == (None, "disagreement")
    elif None in said:
        assert (label, reason) == (None, "no_verdict")
    else:
        assert (label, reason) == (label_votes.LABELS[said.pop()], None)


def test_without_votes_the_rule_is_all_and_no_votes_are_written():
    for mode in (FIRST, ONLY, ALSO, NEVER):
        assert settled(ruled("wrong"), [], None, mode) == ruled("wrong")


@pytest.mark.parametrize("level", ["no_answer", "no_response"])
def test_nothing_is_asked_about_a_response_without_an_answer(level):
    for mode in label_votes.RULES:
        assert not wants_panel(ruled(None, level), mode)
    assert label_of(None, "correct", mode=NEVER, by=level) == (None, level, "too_hard")


def test_who_is_asked():
    asked = {mode: [wants_panel(ruled(said), mode) for said in VERDICTS] for mode in label_votes.RULES}
    assert asked == {
        "first": [False, False, True], "only": [False] * 3, "never": [True] * 3, "also": [True] * 3,
    }  # fmt: skip


def test_a_person_has_the_last_word_and_the_others_stay_on_record():
    human = {"annotator": "ada", "verdict": "wrong", "reason": None, "response_sha256": "0"}
    fields = settled(ruled("correct"), [model("correct")], human, ALSO)
    assert (fields["label"], fields["verification"]["by"]) == (0, "human")
    assert [vote["annotator"] for vote in fields["verification"]["votes"]] == ["rule", "m", "ada"]
    assert "reason" not in settled(ruled(None), [], human, FIRST)["verification"]


@pytest.mark.parametrize("mode", [FIRST, NEVER, ALSO])
@pytest.mark.parametrize("rule", VERDICTS)
def test_votes_read_again_are_combined_as_they_were(rule, mode):
    panel = [model("correct", "a"), model("wrong", "b")]
    fields = settled(ruled(rule), panel if wants_panel(ruled(rule), mode) else [], None, mode)
    before = label_votes.earlier(fields)
    again = settled(
        ruled(rule), label_votes.of_models(before), label_votes.of_a_person(before), label_votes.was_asked(before)
    )
    assert again == fields


def test_what_is_no_vote_is_not_taken_for_one():
    odd = [None, 3, {}, {"annotator": "a"}, {"annotator": "a", "verdict": []}, {"annotator": 1, "verdict": "wrong"}]
    for value in (None, "x", {"votes": "x"}, {"votes": odd}):
        assert label_votes.earlier({"verification": value}) == []


def test_the_report_counts_what_was_said():
    tally = AgreementReport()
    rows = [("correct", "correct", "correct")] * 6 + [("wrong", "wrong", "wrong"), ("correct", "wrong", "wrong"),
            ("wrong", "correct", "wrong"), (None, "correct", "correct"), ("correct", "correct", None)]  # fmt: skip
    for rule, *panel in rows:
        tally.add(settled(ruled(rule), [model(said, f"m{n}") for n, said in enumerate(panel)], None, ALSO))
    tally.add(ruled("correct"))
    figures = tally.figures()
    assert figures["rows"] == 12
    assert figures["labels"] == {"correct": 8, "wrong": 1, "undecided": {"disagreement": 2, "no_verdict": 1}}
    assert {name: figures["models"][name] for name in ("rows", "disagreements", "rate")} == {
        "rows": 10, "disagreements": 1, "rate": 0.1,
    }  # fmt: skip
    assert figures["rule_against_panel"]["disagreements"] == 1
    assert figures["rule_against_panel"]["rows"] == 8
    assert figures["confusion"] == {
        "correct": {"correct": 6, "wrong": 1, "null": 1, "split": 0},
        "wrong": {"correct": 0, "wrong": 1, "null": 0, "split": 1},
        "null": {"correct": 1, "wrong": 0, "null": 0, "split": 0},
    }
    assert figures["annotators"][1] == {"annotator": "m1", "correct": 7, "wrong": 3, "null": {"no_verdict": 1}}
    assert [pair["rows"] for pair in figures["pairs"]] == [10, 9, 10]


def test_the_table_fits_a_terminal_and_shows_no_escape():
    tally = AgreementReport()
    tally.add(settled(ruled(None), [model("correct", "x" * 200), model("wrong", "\x1b[31mred")], None, FIRST))
    text = table(tally.figures())
    assert max(map(len, text.splitlines())) <= 80
    assert "\x1b" not in text
    assert "(95%: 20.655% to 100.000%; paper: 0.148%)" in text
    assert all(name.replace("wrong", "incorrect") in text for name in (*RULE_VERDICTS, *PANEL_VERDICTS))
    assert table(AgreementReport().figures()) == ""
