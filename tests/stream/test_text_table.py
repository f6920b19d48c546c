"""Tables of summaries: numbers are whole or say that they are not, long names go on in the next line."""

from __future__ import annotations

import re

import pytest

from libra_cli.stream.text_table import Column, broken, fitting, render_table

REASONS = "connection 12, no_verdict 34, timeout 45, truncated 24"


def test_long_names_and_reasons_are_folded_and_numbers_stay_whole() -> None:
    name = "organisation/a-model-with-a-rather-long-name-instruct-v2"
    lines = [[name, "24,567", "1,234", "115", REASONS]]
    drawn = render_table(("annotator", "correct", "wrong", "null", "why null"), lines, texts=(0, 4)).splitlines()
    assert max(map(len, drawn)) <= 80
    assert all(number in drawn[2].split() for number in ("24,567", "1,234", "115"))
    together = "".join("".join(line.split()) for line in drawn[2:])
    assert all(together.count(letter) >= (name + REASONS).count(letter) for letter in set(name + REASONS) - {" "})


def test_controls_of_a_terminal_are_shown_and_none_is_a_rule() -> None:
    drawn = render_table(("name", "n"), [["\x1b[2J", "1"], None, ["all", "1"]])
    assert "\\x1b[2J" in drawn
    assert "\x1b" not in drawn
    assert drawn.splitlines()[3] == ""


@pytest.mark.parametrize("width", [40, 60, 80, 200])
def test_no_figure_is_cropped_in_any_width(width) -> None:
    header = ("annotator", "correct", "incorrect", "no verdict", "agreement", "kappa")
    lines = [["a-judge-with-a-name", "1,234,567", "1,234", "115", "99.85%", "0.997"], None, ["all", *"12345"]]
    drawn = render_table(header, lines, width)
    assert max(map(len, drawn.splitlines())) <= width
    assert {*header, "1,234,567", "1,234", "115", "99.85%", "0.997"} <= set(re.split("  +|\n", drawn))
    assert "a-judge-with-a-name" in drawn


@pytest.mark.parametrize(("room", "kept"), [(60, [0, 1, 2, 3]), (40, [0, 1, 3]), (30, [0, 3]), (20, [])])
def test_columns_go_whole_by_level(room, kept) -> None:
    columns = [Column("name", False), Column("x" * 10, spare=1), Column("y" * 10, spare=2), Column("z" * 10)]
    assert fitting(columns, [["n" * 16, "1", "2", "3"]], room) == kept


@pytest.mark.parametrize(
    ("name", "room", "lines"),
    [
        ("  libra-mini/strong", 15, ["  libra-mini/", "    strong"]),
        ("other/judge-of-a-long-name-32B", 19, ["other/judge-of-a-", "  long-name-32B"]),
        ("abcdefghij", 6, ["abcdef", "  ghij"]),
        ("裁判裁判裁判", 6, ["裁判裁", "  判裁", "  判"]),
        ("short", 16, ["short"]),
    ],
)
def test_a_name_is_broken_where_its_parts_end(name, room, lines) -> None:
    assert broken(name, room).split("\n") == lines
    assert "".join(line.strip() for line in lines) == name.strip()


def test_a_table_breaks_names_between_their_parts() -> None:
    lines = [["  libra-mini/strong", "12", "9,999", "9,999", "18,888"]]
    drawn = render_table(("subset, model", "problems", "correct", "incorrect", "samples"), lines, 60).splitlines()
    assert [" ".join(line.split()) for line in drawn[2:]] == ["libra-mini/ 12 9,999 9,999 18,888", "strong"]
