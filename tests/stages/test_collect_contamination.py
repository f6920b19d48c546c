"""Decontamination: a benchmark's problem is found in any notation, and common phrases condemn nobody."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path

from libra_cli.exits import Exit
from libra_cli.miniature import problems_path
from libra_cli.stages.collect.contamination import BenchmarkProblems
from libra_cli.stages.collect.decontaminate import questions_of, read_benchmarks
from libra_cli.stages.collect.sources import ReadOptions, file_origin
from libra_cli.stream.signals import StopRequest

# From AIME 2025 and AIME 2024 (Mathematical Association of America), and MATH-500 (MIT).
BASES = "Find the sum of all integer bases $b>9$ for which $17_b$ is a divisor of $97_b.$"
OCTAGON = (
    "Each vertex of a regular octagon is independently colored either red or blue with equal probability. The "
    "probability that the octagon can then be rotated so that all of the blue vertices end up at positions where there "
    "were originally red vertices is $\\tfrac{m}{n}$, where $m$ and $n$ are relatively prime positive integers. "
    "What is $m+n$?"
)
PHRASE = "can be written as $\\frac{m}{n}$, where $m$ and $n$ are relatively prime positive integers. Find $m+n$."


def benchmarks(*questions: str, **options: float) -> BenchmarkProblems:
    found = BenchmarkProblems(**options)
    for line, question in enumerate(questions, 1):
        found.add(question, f"bench:{line}")
    found.finish()
    return found


def test_a_problem_is_found_whatever_its_notation():
    bench = benchmarks(OCTAGON, BASES)
    rewritten = OCTAGON.upper().replace("\\TFRAC", "\\dfrac").replace("$M$", "\\( M \\)").replace(" ", " \n ")
    found = bench.find(rewritten)
    assert (found.against, found.share) == ("bench:1", 1.0)
    assert bench.find("A puzzle: " + BASES + " Explain your answer.").against == "bench:2"


def test_a_part_of_a_problem_is_found_and_the_longest_run_is_told():
    part = OCTAGON[: OCTAGON.index(" end up")]
    found = benchmarks(OCTAGON).find(f"Hello, each vertex of something. {part} go away?")
    assert found.shared.startswith("each vertex of a regular octagon is independently")
    assert found.shared.endswith("so that all of the blue vertices")
    assert 0.6 < found.share < 0.8
    assert benchmarks(OCTAGON, overlap=0.8).find(part) is None


def test_an_unrelated_problem_is_spared():
    bench = benchmarks(OCTAGON, BASES)
    assert bench.find("Each vertex of a regular hexagon is red. What is the sum of its angles?") is None
    assert bench.find("") is None


def test_the_format_of_the_answer_is_no_problem():
    bench = benchmarks(
        "Three of the nine pawns in a bag are black. Eve draws four of them. The chance that two are black " + PHRASE
    )
    assert bench.find("The area of a triangle with sides 3, 4 and 5 over that of its circle " + PHRASE) is None
    assert bench.find("Adam has nine pawns in a bag, three are black. He draws four of them. What is m+n?") is None
    assert bench.find("3 of the 9 pawns in a bag are black. Eva draws 4 of them. The chance that two are black is k/l.")


def test_a_phrase_of_several_problems_is_no_problem():
    story = "On a harbour island in the cold northern sea a sailor counts the gulls on the railing of a lighthouse."
    others = [
        f"{story} How many of the 41 gulls have flown when 17 are left and 5 of them return at dusk?",
        f"{story} What is the area of the deck if its radius is 23 feet and a third of it is painted?",
    ]
    row = f"{story} How tall is the tower if its shadow is 90 feet long and the sun stands at thirty degrees?"
    assert benchmarks(others[0]).find(others[0].replace("How many of", "Count")).share > 0.9
    assert benchmarks(others[0], overlap=0.4).find(row).against == "bench:1"
    assert benchmarks(*others, overlap=0.4).find(row) is None
    assert benchmarks(*others, overlap=0.4).find(others[1] + " Explain.").share == 1.0


def test_a_phrase_of_several_rows_is_no_problem_but_copies_are_no_phrase():
    story = "On a harbour island in the cold northern sea a sailor counts the gulls on the railing of a lighthouse."
    problem = f"{story} How many of the 41 gulls have flown when 17 are left?"
    rows = [
        f"{story} How tall is the {thing} if its shadow is {length} feet long and falls on the {place} of the {town}?"
        for thing, length, place, town in (
            ("tower", 90, "roof", "church"),
            ("mast", 31, "wall", "castle"),
            ("chimney", 77, "garden", "mill"),
            ("crane", 58, "yard", "wharf"),
            ("oak", 26, "bench", "park"),
        )
    ]
    copies = [f"{number}. {problem} Show all of your steps." for number in range(30)]
    found = benchmarks(problem, overlap=0.4)
    assert found.find(rows[0]).against == "bench:1"
    found.learn_phrases([*rows, *copies])
    assert found.find(rows[0]) is None
    assert found.find(copies[7]).share == 1.0


def test_two_versions_of_one_problem_do_not_make_it_a_phrase():
    again = OCTAGON.replace("What is", "Find").replace("Each vertex", "Every vertex")
    bench = benchmarks(OCTAGON, again, OCTAGON)
    assert len(bench) == 2
    assert bench.find(OCTAGON.replace("rotated", "turned")).against == "bench:1"


def test_problems_that_differ_in_a_number_hide_neither():
    other = OCTAGON.replace("octagon", "nonagon")
    numbered = [BASES.replace("97", str(number)) for number in (97, 96)] + [OCTAGON, other]
    bench = benchmarks(*numbered)
    for line, problem in enumerate(numbered, 1):
        assert bench.find(f"Please reason step by step. {problem} Put the answer in a box.").against == f"bench:{line}"
    assert bench.find(BASES.replace("97", "95") + " Show your steps.") is None


def test_a_short_problem_is_looked_for_whole():
    bench = benchmarks("Compute $\\sin 60^\\circ$.", "What is the least prime above ninety in base ten?")
    assert bench.find("compute \\(\\sin60^{\\circ}\\)").against == "bench:1"
    assert bench.find("Compute $\\cos 60^\\circ$.") is None
    assert bench.find("Compute $\\sin 60^\\circ$ and double it.") is None
    assert bench.find("Tell me: what is the least prime above ninety in base ten? Thanks.").against == "bench:2"
    assert bench.find("What is the least prime above eighty in base ten?") is None


def test_problems_of_one_template_are_told_apart():
    questions = [json.loads(line)["question"] for line in problems_path().read_text().splitlines()]
    bench = benchmarks(*questions[::2])
    assert all(bench.find(question).share == 1.0 for question in questions[::2])
    found = [overlap for overlap in map(bench.find, questions[1::2]) if overlap]
    assert found == []


def test_a_stop_ends_the_reading_for_phrases(tmp_path):
    path = tmp_path / "train.jsonl"
    path.write_text("".join(json.dumps({"question": f"What is {number}+1?"}) + "\n" for number in range(100_000)))
    stop = StopRequest("collect", 1)
    questions = questions_of([file_origin(str(path))], ReadOptions(), [], stop)
    assert next(questions) == "What is 0+1?"
    stop.status = Exit.TERMINATED
    assert sum(1 for _ in questions) < 90_000
    assert len(read_benchmarks([file_origin(str(path))], ReadOptions(), 4, 0.5, stop)) == 0


def test_leaks_are_told_from_problems_with_the_same_phrases():
    """40 problems, five leaks of each and five other problems; nobody who wrote them had seen the rule."""
    bench, rows = BenchmarkProblems(), read("rows.jsonl")
    for number, problem in enumerate(read("benchmark.jsonl")):
        bench.add(problem["question"], str(number))
    bench.finish()
    bench.learn_phrases(row["question"] for row in rows)
    found = [row for row in rows if bench.find(row["question"])]
    leaks = [row for row in found if row["leak"]]
    of_kind = Counter(row["kind"] for row in leaks)
    print(f"precision {len(leaks) / len(found):.3f}, recall {len(leaks) / 200:.3f}, of 40: {dict(of_kind)}")
    assert len(found) == len(leaks)
    assert len(leaks) >= 180
    assert of_kind["verbatim"] == of_kind["notation"] == of_kind["renumbered"] == 40
    assert all(bench.find(row["question"]).against == str(row["of"]) for row in leaks)


def read(name: str) -> list[dict]:
    path = Path(__file__).parents[1] / "data" / "contamination" / name
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
