"""The HTML page of libra score: well-formed, by itself, and with nothing of a row in it but text."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from itertools import pairwise

import pytest
from reports_samples import HOSTILE, comparison, correlation, everything, examples, pointwise, reasoning

from libra_cli.exits import Exit, Fatal
from libra_cli.reports import page
from libra_cli.reports.parts import parts

VOID = {"meta", "input", "br"}
SHAPES = {"rect", "line", "circle", "polyline"}
LOADING = {"src", "srcset", "data", "action", "formaction", "poster", "background", "xlink:href"}


class Strict(HTMLParser):
    """Takes a page apart; a tag that is not closed in its turn, an id twice or an event attribute is an error."""

    def __init__(self, text: str):
        super().__init__()
        self.open: list[str] = []
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.ids: list[str] = []
        self.words: list[str] = []
        self.feed(text)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag, attrs):
        named = dict(attrs)
        assert len(named) == len(attrs), f"an attribute twice: {tag} {attrs}"
        assert not any(name.startswith("on") or name == "style" for name in named), (tag, attrs)
        self.tags.append((tag, named))
        self.ids += [named["id"]] if "id" in named else []
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        assert tag in SHAPES
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.words.append(data)


@pytest.fixture(scope="module")
def found() -> Strict:
    return Strict(page.render(everything()))


def test_it_needs_nothing_else(found):
    names = {tag for tag, _ in found.tags}
    assert not names & {"script", "link", "img", "iframe", "object", "embed", "base", "form", "foreignobject", "use"}
    for tag, attributes in found.tags:
        assert not LOADING & set(attributes), (tag, attributes)
        assert (attributes.get("href") or "#").startswith("#")
    css = next(text for text in found.words if "color-scheme" in text)
    assert "url(" not in css
    assert "@import" not in css
    policy = next(attributes for tag, attributes in found.tags if "http-equiv" in attributes)
    assert policy["content"] == "default-src 'none'; style-src 'unsafe-inline'"


def test_ids_are_unique_and_everything_that_is_pointed_to_is_there(found):
    assert len(found.ids) == len(set(found.ids))
    pointed = {value for _, given in found.tags for name, value in given.items() if name in ("for", "aria-labelledby")}
    pointed |= {given["href"][1:] for _, given in found.tags if "href" in given}
    assert pointed <= set(found.ids)


def test_it_can_be_read_without_seeing_it(found):
    heads = [tag for tag, _ in found.tags if tag in {"h1", "h2", "h3", "h4"}]
    assert heads[0] == "h1"
    assert heads.count("h1") == 1
    assert all(int(below[1]) <= int(above[1]) + 1 for above, below in pairwise(heads))
    for tag, given in found.tags:
        assert tag != "svg" or given.get("aria-label") or given.get("aria-hidden")
        assert tag != "th" or given["scope"] in ("col", "row")
    assert [tag for tag, _ in found.tags].count("caption") == [tag for tag, _ in found.tags].count("table")


def test_every_cell_and_fact_of_the_tables_is_on_it(found):
    words = set(found.words)
    for part in parts({**everything(), "reports": [pointwise(), reasoning()]}):
        assert {line.cells[-1] for table in part.tables for line in table.lines} <= words
        assert {value for _, value in part.facts} <= words


def test_text_of_rows_stays_text(found):
    shown = HOSTILE.replace("\x1b", "\\x1b")
    assert sum(shown in text for text in found.words) > 10
    assert "\x1b" not in page.render(everything())


@pytest.mark.parametrize("name", ["id", "section", "question", "response", "why", "judgment_text", "label", "score"])
def test_no_field_of_an_example_is_markup(name):
    example = {**examples()[0], name: HOSTILE}
    text = page.render({"reports": [pointwise(examples=[example])]})
    Strict(text)
    assert "<script" not in text
    assert "<img" not in text


def test_long_texts_are_whole_behind_a_box_to_tick(found):
    boxes = [given["id"] for tag, given in found.tags if tag == "input"]
    assert boxes == ["part-3-example-1-1"]
    assert any("And this is its END." in text for text in found.words)
    assert " show all (8,820 characters)" in found.words


def test_the_page_begins_with_what_it_comes_to_and_ends_with_how_it_was_made():
    even = {**comparison("A", "B"), "difference": 0.01, "interval": [-0.02, 0.04], "p_adjusted": 0.4, "better": None}
    better = {**comparison("A", "C"), "difference": -0.0413, "interval": [-0.061, -0.022], "better": "b"}
    text = page.render(
        {"reports": [pointwise()], "comparisons": [even, better]}, made="libra 1 on a day: libra <score>"
    )
    found = Strict(text)
    lead = [word for word in found.words if word.endswith(".")][:3]
    assert lead[0].startswith(
        "No difference between A and B that this set can show: +1.0 points [-2.0, 4.0] on the 300"
    )
    assert lead[1].startswith("C is better than A: -4.1 points (A - C) [-6.1, -2.2] on the 300 items")
    assert text.index(lead[1]) < text.index("<main>")
    assert "libra 1 on a day: libra <score>" in found.words


def test_thinking_is_folded_and_the_wrong_verdicts_are_counted_in_full():
    thought = {**examples()[0], "judgment_thinking": "so it is <b>", "response_thinking": None, "reference": "7"}
    report = {**pointwise(examples=[thought]), "confusion": {"tp": 5, "tn": 5, "fp": 30, "fn": 14}}
    words = Strict(page.render({"reports": [report]})).words
    assert "Wrong verdicts: the 1 most confident of 44" in words
    assert {"Judgment: thinking (12 characters)", "so it is <b>", "Reference", "7"} <= set(words)
    assert not any("Response: thinking" in word for word in words)


def test_the_summary_of_an_example_says_where_who_and_what():
    """Of fifty folded examples, each line tells which one it is."""
    example = {**examples()[0], "section": "MATH-500", "model": "m", "sample": 3, "question": "What is\n 2+2?"}
    example["why"] = "judged correct, but incorrect"
    found = re.findall("<summary>(MATH-500.*?)</summary>", page.render({"reports": [pointwise(examples=[example])]}))
    assert found == ["MATH-500 · judged correct, but incorrect · m #3 · What is 2+2?"]


def test_a_report_without_figures_is_a_page():
    text = page.render(
        {"reports": [{"benchmark": "b", "judge": "j", "n": 0, "sections": {}, "overall": None, "overall_is": "mean"}]}
    )
    assert "<svg" not in text
    Strict(text)
    Strict(page.render({"correlation": correlation()}))


def test_it_is_the_same_each_time():
    assert page.render(everything()) == page.render(everything())


def test_it_is_written_whole_or_not_at_all(tmp_path):
    page.write(everything(), str(tmp_path / "page.html"))
    assert (tmp_path / "page.html").read_text() == page.render(everything())
    with pytest.raises(Fatal, match="cannot be written") as raised:
        page.write(everything(), str(tmp_path / "none" / "page.html"))
    assert raised.value.status == Exit.USAGE


def test_judges_and_policies_are_told_apart_where_they_stand_beside_each_other():
    both = {"reports": [pointwise(), reasoning(), {**reasoning(), "judge": "Judge-A"}], "comparisons": []}
    text = page.render(both)
    assert "<title>libra-bench, reasoning: 1 judge, 2 policies</title>" in text
    for said in ("Judge-A (Judge-A.jsonl): mean accuracy 78.0%", "policy Judge-A (r.jsonl): pooled pass@1 40.0%"):
        assert f'<p class="lead">{said}' in text
    assert "reasoning: policy Judge-A</h2>" in text
    assert "<title>reasoning: policy policy</title>" in page.render({"reports": [reasoning()]})
