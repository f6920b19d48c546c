"""Exact and near duplicates: which differences count, that order does not, and that no pair is missed."""

from __future__ import annotations

import random
from itertools import permutations

import pytest

from libra_cli.records.shingles import canonical, shingles, words
from libra_cli.stages.collect import duplicates
from libra_cli.stream.rows import Filtered, Row, RowError

PROBLEM = (
    "A baker sells 12 loaves in the morning and 30 loaves in the afternoon of every single day, and each of the loaves "
    "costs him 2 coins to bake. How many coins does he spend in a day?"
)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Find $x+1$.", "find  x + 1."),
        (r"\(\dfrac{1}{2}\)", r"$\frac{1}{2}$"),
        (r"$\left(a\right)\,b$", "$(a) b$"),
        ("a~b\tc\nd", "A B C D"),
        ("it’s “so”", 'it\'s "so"'),
        ("ｘ＋１", "x+1"),
        ("5 − 3", "5-3"),
        (r"\[a \quad b\]", "ab"),
        ("e\u0301", "\u00e9"),
    ],
)
def test_notation_does_not_tell_problems_apart(one, other):
    assert canonical(one) == canonical(other)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("2²", "22"),
        ("1 2", "12"),
        ("(2+3)*4", "2+3*4"),
        ("x^{12}", "x^12"),
        ("a+b", "a-b"),
        ("x < 5", "x > 5"),
        (r"\leftarrow", "arrow"),
    ],
)
def test_what_changes_a_problem_tells_them_apart(one, other):
    assert canonical(one) != canonical(other)


def test_words_are_words_numbers_and_operators():
    assert words(r"Find $\dfrac{1.5}{x_2}+y$, 求和!") == ["find", "frac", "1.5", "x", "2", "+", "y", "求", "和"]
    assert len(shingles(["a"] * 20, 5)) == 1
    assert len(shingles(["a", "b"], 5)) == 1
    assert len(shingles(["a", "b", "c", "d", "e", "f"], 5)) == 2


def outcomes(rows: list[dict], near: float | None = 0.8, files: str = "", drop_samples: bool = True) -> list[str]:
    """What becomes of each row: `new`, why it is left out or why it is refused; `files` has a letter for each row."""
    seen, found = duplicates.Duplicates(near, drop_samples), []
    for line, fields in enumerate(rows, 1):
        record = {"id": str(line), "index": 0, **fields}
        file = files[line - 1] if files else "f"
        try:
            seen.check(Row(fields, b"", file, line), record, fields)
            found.append("new")
        except Filtered as reason:
            found.append(str(reason))
        except RowError as error:
            found.append(error.kind)
    return found


def test_the_same_text_is_a_duplicate_and_with_another_answer_a_conflict():
    rows = [{"question": "Find x.", "reference": "1"}, {"question": " find  X.", "reference": "1 "}]
    assert outcomes(rows) == ["new", "duplicate"]
    assert outcomes([*rows, {"question": "Find x.", "reference": "2"}]) == ["new", "duplicate", "conflicting_reference"]


NAMES = ["response", "response_with_cot", "output", "completion", "generation", "Output", "Response", "Model", "SAMPLE"]


@pytest.mark.parametrize("name", NAMES)
def test_two_responses_to_a_problem_are_no_duplicates_whatever_their_name(name):
    rows = [{"question": "Find x.", "reference": "1", name: text} for text in ("It is 1.", "It is 2.")]
    assert outcomes(rows) == ["new", "new"]
    tells = name.lower() not in ("model", "sample")
    assert outcomes([rows[0], {**rows[0], "Level": 2}]) == ["new", "new" if tells else "duplicate"]


@pytest.mark.parametrize(
    "references",
    [
        (55, "55", 55.0, "55.0", r"\boxed{55}", "$55$"),
        ("1/2", "0.5", r"\frac{1}{2}", r"$\dfrac12$"),
        ("(1, 2)", "(1,2)", r"\left(1, 2\right)"),
        (r"2\sqrt{3}", "$2\\sqrt3$"),
    ],
)
def test_equal_references_are_duplicates_however_they_are_written(references):
    for one, other in permutations(references, 2):
        rows = [{"question": "Find x.", "reference": one}, {"question": "Find x.", "reference": other}]
        assert outcomes(rows) == ["new", "duplicate"], (one, other)


@pytest.mark.parametrize(
    ("one", "other"),
    [("55", "56"), ("25", r"25\%"), ("5 km", "5 kg"), ("x>3", "x<3"), ("B", "C"), ("1", None), ("", "1")],
)
def test_references_that_are_not_equal_for_certain_are_conflicts(one, other):
    for first, second in ((one, other), (other, one)):
        rows = [{"question": "Find x.", "reference": first}, {"question": "Find x.", "reference": second}]
        assert outcomes(rows) == ["new", "conflicting_reference"], (first, second)


def test_equal_references_with_other_preferences_are_conflicts():
    row = {"question": "Find x.", "response_a": "1", "response_b": "2", "reference": "55"}
    rows = [{**row, "preference": "A>B"}, {**row, "reference": "55.0", "preference": "B>A"}]
    assert outcomes(rows) == ["new", "conflicting_reference"]
    assert outcomes([rows[0], {**rows[1], "preference": "A>B"}]) == ["new", "duplicate"]


def test_responses_to_one_problem_are_different_rows():
    problem = {"question": PROBLEM, "reference": "84"}
    assert outcomes(
        [
            {**problem, "response": "84", "model": "m", "sample": 0},
            {**problem, "response": "84", "model": "n", "sample": 0},
            {**problem, "response": "84", "model": "m", "sample": 1},
            {**problem, "response": "84", "model": "m", "sample": 1},
        ]
    ) == ["new", "new", "new", "duplicate"]
    same = {**problem, "response": "84", "index": 7}
    assert outcomes([same, dict(same)]) == ["new", "duplicate"]
    pair = {"question": "a?", "response_a": "x", "response_b": "y", "preference": "A>B"}
    assert outcomes([pair, dict(pair), {**pair, "response_b": "z"}, {**pair, "preference": "B>A"}]) == [
        "new",
        "duplicate",
        "new",
        "conflicting_reference",
    ]


@pytest.mark.parametrize("name", ["response", "generation", "Output"])
def test_equal_samples_are_duplicates_only_where_nothing_tells_them_apart(name):
    row = {"question": "Find x.", "reference": "1", name: "It is 1."}
    assert outcomes([row] * 3) == ["new", "duplicate", "duplicate"]
    assert outcomes([row] * 4, files="abca") == ["new", "new", "new", "duplicate"]
    for own in ("seed", "run", "temperature", "id", "sample", "model", "filter"):
        assert outcomes([{**row, own: 1}, {**row, own: 2}, {**row, own: 1}]) == ["new", "new", "duplicate"], own
    assert outcomes([row, {**row, "reference": "2"}], files="ab") == ["new", "conflicting_reference"]


def test_equal_samples_without_a_number_stay_unless_they_are_to_be_dropped():
    row = {"question": "Find x.", "reference": "1", "response": "It is 1."}
    assert outcomes([row] * 3, drop_samples=False) == ["new"] * 3
    assert outcomes([{**row, "seed": 1}] * 2, drop_samples=False) == ["new"] * 2  # one seed may be that of a run
    for name in ("sample", "Sample"):
        assert outcomes([{**row, name: 1}] * 2, drop_samples=False) == ["new", "duplicate"]
    assert outcomes([row, {**row, "reference": "2"}], drop_samples=False) == ["new", "conflicting_reference"]
    problem, pair = {"question": "Find x.", "reference": "1"}, {**row, "response_b": "2", "preference": "A>B"}
    pair["response_a"] = pair.pop("response")
    for one in (problem, pair):
        assert outcomes([one] * 2, drop_samples=False) == ["new", "duplicate"]


def test_problems_and_pairs_of_several_files_are_duplicates():
    pair = {"question": "Find x.", "response_a": "1", "response_b": "2", "preference": "A>B"}
    assert outcomes([pair, {**pair, "seed": 1}], files="ab") == ["new", "duplicate"]
    problem = {"question": "Find x.", "reference": "1"}
    assert outcomes([problem, {**problem, "seed": 1}], files="ab") == ["new", "duplicate"]


def of_lm_eval(document: int, name: str | None, text: str, **more) -> dict:
    fields = {"question": f"Find x{document}.", "reference": "1", "response": text, "doc_id": document}
    return {**fields, **({} if name is None else {"filter": name}), "filtered_resps": [text[:3]], **more}


def test_lines_of_one_sample_for_several_filters_are_one_sample():
    rows = [of_lm_eval(document, name, "It is 1.") for name in ("strict", "flexible") for document in (0, 1)]
    assert outcomes(rows) == ["new", "new", "other_filter", "other_filter"]
    assert outcomes(rows, files="aabb") == ["new"] * 4
    repeats = [of_lm_eval(0, name, "It is 1.", sample=n, seed=n) for name in ("strict", "flexible") for n in (0, 1)]
    assert outcomes(repeats) == ["new", "new", "other_filter", "other_filter"]


def test_older_logs_do_not_name_the_filter():
    rows = [of_lm_eval(0, None, "It is 1.", exact_match=score) for score in (0.0, 1.0)]
    assert outcomes(rows) == ["new", "other_filter"]
    assert outcomes([rows[0], of_lm_eval(0, None, "It is 2."), of_lm_eval(1, None, "It is 1.")]) == ["new"] * 3


def test_two_problems_with_one_id_are_refused():
    rows = [{"question": "a?", "reference": "1", "id": 1}, {"question": "b?", "reference": "1", "id": 1}]
    assert outcomes(rows) == ["new", "id_taken"]


def test_near_duplicates_have_the_same_numbers_and_answer():
    def then(question: str, reference: str = "84") -> str:
        return outcomes([{"question": PROBLEM, "reference": "84"}, {"question": question, "reference": reference}])[1]

    assert then(PROBLEM.replace("baker", "cook")) == "near_duplicate"
    assert then(PROBLEM.replace(",", "").replace("?", ".")) == "near_duplicate"
    assert then(PROBLEM.replace("12", "13")) == "new"
    assert then(PROBLEM.replace("baker", "cook"), "85") == "new"
    assert then(PROBLEM.replace("12", "30 ").replace(" 30 loaves in the after", " 12 loaves in the after")) == "new"
    assert then("How many coins are 12, 30 and 2 coins?") == "new"


def test_the_order_of_rows_decides_who_stays_and_not_how_many():
    versions = [
        PROBLEM,
        PROBLEM.replace("baker", "cook"),
        PROBLEM + " Explain.",
        PROBLEM.replace("12", "15"),
        PROBLEM.replace("12", "15").replace("baker", "shop"),
    ]
    clusters = [0, 0, 0, 1, 1]
    for order in permutations(range(5)):
        found = outcomes([{"question": versions[at], "reference": "84"} for at in order])
        kept = [clusters[at] for at, outcome in zip(order, found, strict=True) if outcome == "new"]
        assert sorted(kept) == [0, 1], order
        assert found.count("near_duplicate") == 3


@pytest.mark.parametrize("threshold", [0.3, 0.5, 0.8, 1.0])
def test_no_pair_is_missed_in_a_large_group(threshold):
    """Against comparing all pairs; more members than are looked through one by one."""
    rng = random.Random(5)
    base = [rng.choice("abcdefghij") + rng.choice("klmnop") for _ in range(30)]
    texts = [" ".join(word if rng.random() < 0.93 else "x" + word for word in base) for _ in range(150)]
    kept: list[set[int]] = []
    expected = []
    for text in texts:
        own = set(shingles(words(text), duplicates.SHINGLE_WORDS))
        expected.append(any(len(own & other) >= threshold * len(own | other) for other in kept))
        if not expected[-1]:
            kept.append(own)
    near = duplicates.NearDuplicates(threshold)
    assert [near.seen(text, 0) for text in texts] == expected
    assert len(kept) > duplicates.SCANNED_MEMBERS or threshold < 0.5
    assert any(expected)
