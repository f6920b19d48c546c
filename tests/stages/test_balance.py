"""The choice of `libra balance`: even to the row, drawn from the seed alone, fair to problems, and accounted for."""

from __future__ import annotations

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from libra_cli.stages.balance.quota import CORRECT, INCORRECT, LABELS, CellLimits, balance_cells
from libra_cli.stages.balance.report import census, shortage, table
from libra_cli.stages.balance.response_index import ResponseIndex
from libra_cli.stages.balance.samples import PUBLISHED, BalanceFormat
from libra_cli.stream import rows
from libra_cli.stream.row_store import RowLocation
from libra_cli.stream.rows import Row, RowError

FORM = BalanceFormat()
LIMITS = st.builds(CellLimits, st.none() | st.integers(1, 4), st.none() | st.integers(1, 3), st.just({}))
RESPONSES = st.lists(
    st.builds(
        lambda subset, model, problem, sample, label: {
            "question": f"What is {problem}?",
            "subset": subset,
            "model": model,
            "sample": sample,
            "label": label,
            "response": f"answer {sample}",
        },
        st.sampled_from("AB"),
        st.sampled_from("mn"),
        st.integers(0, 3),
        st.integers(0, 4),
        st.sampled_from([0, 1]),
    ),
    max_size=60,
)


def row(**fields) -> Row:
    return Row(fields, rows.dumps(fields), "in.jsonl", 1)


def response(**fields) -> Row:
    given = {"question": "1 + 1?", "subset": "S", "model": "m", "label": 1, "response": "2", **fields}
    return row(**{name: value for name, value in given.items() if value is not ...})


def cells_of(responses, limits=CellLimits(), seed=0):  # noqa: B008 -- it is frozen
    """The cells; each row's place is its position among `responses`."""
    index = ResponseIndex(seed)
    for position, fields in enumerate(responses):
        index.add(row(**fields), FORM.read(row(**fields)), RowLocation(0, 0, position, 0))
    return balance_cells(index, limits)


def chosen(responses, cell):
    return [responses[location.offset] for location in cell.chosen.locations()]


def per_problem(responses, label):
    return Counter(fields["question"] for fields in responses if fields["label"] == label)


def different(responses):
    """The responses that nobody contradicts, one of each, by brute force."""
    labels = {}
    for fields in responses:
        identity = tuple(fields[name] for name in ("subset", "model", "question", "sample"))
        labels.setdefault(identity, set()).add(fields["label"])
    return Counter((*identity[:3], *found) for identity, found in labels.items() if len(found) == 1)


# -- the choice --------------------------------------------------------------------------------------------------------


@given(RESPONSES, LIMITS, st.integers(0, 3))
def test_every_cell_is_exactly_even_and_as_full_as_it_can_be(responses, limits, seed):
    usable = different(responses)
    for cell in cells_of(responses, limits, seed):
        eligible = [
            sum(
                min(count, limits.per_problem or count)
                for (*name, _, found), count in usable.items()
                if name == [cell.subset, cell.model] and found == label
            )
            for label in LABELS
        ]
        kept = Counter(fields["label"] for fields in chosen(responses, cell))
        assert list(cell.eligible) == eligible
        assert kept[CORRECT] == kept[INCORRECT] == cell.kept == min(*eligible, limits.per_cell or len(responses))


@given(RESPONSES, LIMITS, st.integers(0, 3), st.randoms())
def test_the_choice_and_its_order_do_not_depend_on_the_order_of_the_input(responses, limits, seed, shuffler):
    shuffled = list(responses)
    shuffler.shuffle(shuffled)
    first = [chosen(responses, cell) for cell in cells_of(responses, limits, seed)]
    assert first == [chosen(shuffled, cell) for cell in cells_of(shuffled, limits, seed)]


@given(RESPONSES, st.integers(0, 3))
def test_problems_take_turns(responses, seed):
    usable = different(responses)
    for cell in cells_of(responses, CellLimits(per_cell=3), seed):
        for label in LABELS:
            used = per_problem(chosen(responses, cell), label)
            for question, count in used.items():
                for (*name, other, found), there in usable.items():
                    if name == [cell.subset, cell.model] and found == label and used[other] < count - 1:
                        assert used[other] == there, f"{question} has {count}, {other} only {used[other]} of {there}"


@given(RESPONSES, LIMITS, st.integers(0, 3))
def test_a_smaller_cell_is_the_beginning_of_a_larger_one(responses, limits, seed):
    smaller = CellLimits(2, limits.per_problem)
    for large, small in zip(
        cells_of(responses, CellLimits(None, limits.per_problem), seed), cells_of(responses, smaller, seed), strict=True
    ):
        assert chosen(responses, large)[:4] == chosen(responses, small)


@given(RESPONSES, LIMITS)
def test_every_response_is_accounted_for(responses, limits):
    for cell in cells_of(responses, limits):
        there = sum([fields["subset"], fields["model"]] == [cell.subset, cell.model] for fields in responses)
        assert there == sum(cell.left_out.values()) + len(chosen(responses, cell))
        assert there == sum(cell.available) + cell.duplicates + cell.contradictory


def test_correct_and_incorrect_come_in_turn():
    responses = [response(sample=number, label=number % 2).fields for number in range(8)]
    (cell,) = cells_of(responses)
    assert [fields["label"] for fields in chosen(responses, cell)] == [1, 0] * 4


def test_another_seed_draws_another_choice():
    responses = [response(sample=number, label=number % 2).fields for number in range(200)]
    drawn = [
        {fields["sample"] for fields in chosen(responses, *cells_of(responses, CellLimits(10), seed))}
        for seed in (0, 1)
    ]
    assert drawn[0] != drawn[1]


def test_a_subset_may_have_its_own_limit():
    responses = [
        response(subset=subset, sample=number, label=number % 2).fields for subset in "ST" for number in range(20)
    ]
    kept = {cell.subset: cell.kept for cell in cells_of(responses, CellLimits(2, None, {"T": 5}))}
    assert kept == {"S": 2, "T": 5}


def test_of_rows_that_repeat_each_other_one_is_kept_whatever_the_order():
    same = [response(sample=0, label=1, note=note).fields for note in "abc"]
    other = response(sample=0, label=0, response="3").fields
    for responses in ([*same, other], [other, *same[::-1]]):
        (cell,) = cells_of(responses)
        assert cell.left_out == {"duplicate": 2}
        assert cell.kept == 1


def test_a_response_that_is_correct_here_and_incorrect_there_is_not_used():
    both = [response(sample=0, label=label).fields for label in (0, 1)]
    rest = [response(sample=number, label=number % 2).fields for number in (1, 2, 3)]
    (cell,) = cells_of([*both, *rest])
    assert cell.left_out == {"contradictory": 2, "surplus": 1}
    assert {fields["sample"] for fields in chosen([*both, *rest], cell)} < {1, 2, 3}


def test_equal_texts_are_separate_samples_where_the_samples_are():
    responses = [response(sample=number, label=number % 2, response=str(number % 2)).fields for number in range(6)]
    assert cells_of(responses)[0].kept == 3


# -- one row -----------------------------------------------------------------------------------------------------------

TEXTS = [
    ({"response": "<think>hm</think> 2 "}, "2", "<think>hm</think> 2 "),
    ({"response": "hm</think>2"}, "2", "hm</think>2"),  # the prompt had opened it
    ({"response": " 2\n"}, " 2\n", " 2\n"),  # nothing is touched where nothing is cut
    ({"response": "2", "response_with_cot": "<think>hm</think>2"}, "2", "<think>hm</think>2"),
    ({"response": "<think>hm</think>2", "response_with_cot": "<think>hm</think>2"}, "2", "<think>hm</think>2"),
    ({"response": ..., "response_with_cot": "[THINK]hm[/THINK]2"}, "2", "[THINK]hm[/THINK]2"),
    ({"response": "2", "response_with_cot": None}, "2", "2"),
    ({"response": "a</think>b</think>2"}, "2", "a</think>b</think>2"),
]


@pytest.mark.parametrize(("fields", "text", "full"), TEXTS)
def test_the_thinking_is_cut_and_kept(fields, text, full):
    written = rows.parse(FORM.write(response(**fields)))
    assert (written["response"], written["response_with_cot"]) == (text, full)


@pytest.mark.parametrize("text", ["<think>hm", "<think>hm</think>", "<think>hm</think> \n", "", " ", None])
def test_without_a_response_after_the_thinking_a_row_is_unusable(text):
    assert FORM.read(response(response=text, response_with_cot="<think>hm", label=None)).unusable == "no_response"


def test_a_null_label_is_neither_correct_nor_incorrect():
    assert FORM.read(response(label=None)).unusable == "unlabelled"
    assert FORM.read(response(label=0)).unusable is None


def test_only_the_named_markers_count():
    form = BalanceFormat([("<a>", "</a>")])
    assert form.read(response(response="<think>2</think>3")).response == "<think>2</think>3"
    assert form.read(response(response="<a>2</a>3")).response == "3"


def test_a_row_that_needs_no_change_leaves_byte_for_byte():
    raw = response(x=1.5, response_with_cot="2").raw.replace(b"1.5", b"1.50").replace(b",", b" , ")
    assert FORM.write(Row(rows.parse(raw), raw, "in.jsonl", 1)) == raw


REFUSED = [
    ({"subset": ...}, "missing_field", 'no "subset": add it, or name one for all rows that have none: --def'),
    ({"subset": 7}, "wrong_type", '"subset" is a number, not a string'),
    ({"response": ...}, "missing_field", "(the row has question, subset, model, label): run libra rollout first"),
    ({"response": 2}, "wrong_type", '"response" is a number, not a string or null'),
    ({"response_with_cot": ["2"]}, "wrong_type", '"response_with_cot" is an array, not a string or null'),
    ({"label": 2}, "bad_label", '"label" is 2; it must be 1 (correct), 0 (incorrect) or null'),
]


@pytest.mark.parametrize(("fields", "kind", "message"), REFUSED)
def test_a_row_that_cannot_be_read_is_refused_with_the_cure(fields, kind, message):
    with pytest.raises(RowError) as caught:
        FORM.read(response(**fields))
    assert caught.value.kind == kind
    assert message in str(caught.value)


def test_the_published_form_has_eight_fields_in_order():
    full = response(index=3, reference=2, response="<think>x</think>2", sample=0, provenance={"engine": "e"})
    written = rows.parse(BalanceFormat(published=True).write(full))
    assert list(written) == list(PUBLISHED)
    assert written == {
        "index": 3,
        "question": "1 + 1?",
        "response": "2",
        "label": 1,
        "model": "m",
        "reference": "2",
        "subset": "S",
        "response_with_cot": "<think>x</think>2",
    }


def test_the_published_form_takes_the_id_for_an_index_and_wants_a_reference():
    form = BalanceFormat(published=True)
    assert rows.parse(form.write(response(id="q7", reference="2")))["index"] == "q7"
    with pytest.raises(RowError, match=r'no "reference" \(the row has .*--map'):
        form.read(response())


# -- census ------------------------------------------------------------------------------------------------------------


def made(subset, model, correct, incorrect, problems=2):
    """Responses in a cell, one problem after the other."""
    labels = [1] * correct + [0] * incorrect
    cell = {"subset": subset, "model": model}
    return [
        response(question=f"{subset} {number % problems}", sample=number, label=label, **cell).fields
        for number, label in enumerate(labels)
    ]


def test_the_census_counts_each_problem_once():
    figures = census(cells_of([*made("A", "m", 4, 3), *made("A", "n", 2, 2, problems=3), *made("B", "m", 0, 5)]))
    assert (figures["problems"], figures["samples"]) == (3, 10)
    assert figures["correct"] == {"problems": 2, "samples": 5}
    assert figures["incorrect"] == {"problems": 3, "samples": 5}
    first, second = figures["subsets"]
    assert (first["subset"], first["problems"], first["samples"]) == ("A", 3, 10)
    models = [(model["model"], model["problems"], model["samples"]) for model in first["models"]]
    assert models == [("m", 2, 6), ("n", 3, 4)]
    assert first["models"][0]["correct"] == {"problems": 2, "samples": 3, "available": 4, "eligible": 4, "short": 0}
    assert first["models"][0]["incorrect"] == {"problems": 2, "samples": 3, "available": 3, "eligible": 3, "short": 1}
    assert first["models"][0]["left_out"] == {"surplus": 1}
    assert second["models"][0]["correct"] == {"problems": 0, "samples": 0, "available": 0, "eligible": 0, "short": 5}


def test_what_is_short_is_said_in_words():
    few, one_sided, even = cells_of([*made("A", "m", 2, 9), *made("A", "n", 0, 3), *made("B", "m", 4, 4)])
    assert shortage(few, CellLimits()) == "A / m: 2 correct, 9 incorrect: 7 short of 9 correct; keeping 2 of each"
    assert shortage(one_sided, CellLimits()) == "A / n: 0 correct, 3 incorrect: 3 short of 3 correct; keeping 0 of each"
    assert shortage(even, CellLimits()) is None
    index = ResponseIndex(0)
    index.add_unusable(FORM.read(response(label=None)))
    assert (
        shortage(*balance_cells(index, CellLimits()), CellLimits())
        == "S / m: 0 correct, 0 incorrect; keeping 0 of each"
    )
    limits = CellLimits(6, 2)
    (both,) = cells_of(made("B", "m", 4, 9), limits)
    assert shortage(both, limits) == (
        "B / m: 4 correct, 4 incorrect (at most 2 to a problem): 2 short of 6 correct and 2 short of 6 incorrect; "
        "keeping 4 of each"
    )


def test_the_table_fits_80_columns_and_cannot_drive_a_terminal():
    text = table(census(cells_of(made("S" * 100, "\x1b[2J[bold]\u202em", 1, 1))))
    assert max(map(len, text.split("\n"))) <= 80
    assert "\\x1b[2J[bold]\\u202em" in text.replace("\n", "")


def test_the_paper_s_table_1(shell):
    """3,740 samples: 2 labels x 5 models x (134 + 120 + 120), from 64 responses to each problem."""
    shape = {"MATH-500": (134, 1), "AIME 2024": (30, 4), "AIME 2025": (30, 4)}
    models = ["DeepSeek-R1", "Qwen3-32B", "QwQ-32B", "R1-Distill-Qwen-7B", "R1-Distill-Qwen-1.5B"]
    lines = [
        response(question=f"{subset} {problem}", subset=subset, model=model, sample=sample, label=sample % 2).raw
        for subset, (problems, turns) in shape.items()
        for model in models
        for problem in range(problems)
        for sample in range(2 * turns + 2)
    ]
    sizes = "--per-cell 120 --per-cell MATH-500=134 --per-problem 4 --report census.json"
    ended = shell(f"libra balance {sizes} > bench.jsonl && cat census.json", input=b"\n".join(lines) + b"\n")
    figures = rows.parse(ended.out)
    assert (figures["problems"], figures["samples"]) == (194, 3740)
    for subset in figures["subsets"]:
        problems, turns = shape[subset["subset"]]
        assert subset["correct"] == subset["incorrect"] == {"problems": problems, "samples": 5 * problems * turns}
        for model in subset["models"]:
            assert model["correct"]["samples"] == model["incorrect"]["samples"] == problems * turns
