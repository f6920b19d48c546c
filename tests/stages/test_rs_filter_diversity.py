"""`--prefer diverse`: the samples that are farthest apart, in time that grows as the samples do."""

from __future__ import annotations

import json
import random
from collections import Counter

import numpy as np
import pytest

from libra_cli.records.shingles import shingles, words
from libra_cli.stages.rs_filter import diversity
from libra_cli.stages.rs_filter.diversity import COMPARISONS, LANDMARKS, ShingledTexts, spread

VOCABULARY = [f"word{n}" for n in range(40)]


def every_pair_compared(texts: list[str], n: int) -> list[int]:
    """The greedy choice by definition: each taken text is compared with all others."""
    runs = [set(shingles(words(text), 5)) for text in texts]
    nearness, taken = [0.0] * len(texts), [0]
    while len(taken) < min(n, len(texts)):
        last = runs[taken[-1]]
        nearness = [max(near, len(last & own) / len(last | own)) for near, own in zip(nearness, runs, strict=True)]
        left = [(near, index) for index, near in enumerate(nearness) if index not in taken]
        taken.append(min(left)[1])
    return taken + [index for index in range(len(texts)) if index not in taken]


def sentences(chance: random.Random, n: int, longest: int = 30) -> list[str]:
    return [" ".join(chance.choices(VOCABULARY, k=chance.randrange(longest))) for _ in range(n)]


@pytest.mark.parametrize("seed", range(8))
def test_up_to_many_samples_are_the_greedy_choice_by_definition(seed):
    chance = random.Random(seed)
    shared = " ".join(chance.choices(VOCABULARY, k=20))
    texts = [f"{shared if chance.random() < 0.5 else ''} {text}" for text in sentences(chance, 120)]
    texts += [chance.choice(texts) for _ in range(20)]
    for n in (1, 2, 7, 50, LANDMARKS + 1):
        assert spread(texts, n) == every_pair_compared(texts, n)


def test_beyond_them_it_is_the_same_where_texts_share_rare_runs_or_none(monkeypatch):
    monkeypatch.setattr(diversity, "LANDMARKS", 3)
    chance = random.Random(1)
    originals = [" ".join(f"{kind}{n}" for n in range(20)) for kind in "abcdefghijklmnop"]
    copies = [
        f"{text} {' '.join(f'x{chance.random()}' for _ in range(extra))}" for text in originals for extra in (1, 3)
    ]
    texts = originals + copies
    chance.shuffle(texts)
    for n in (5, 16, 17, 30, len(texts)):
        assert spread(texts, n) == every_pair_compared(texts, n)
        assert sorted(spread(texts, n)) == list(range(len(texts)))


def test_of_many_near_copies_one_each_is_taken():
    chance = random.Random(2)
    texts = []
    for cluster in range(600):
        parts = [f"c{cluster}w{n}" for n in range(40)]
        for copy in range(5):
            parts[chance.randrange(40)] = f"copy{copy}"
            texts.append("It is given that the sum is known. " + " ".join(parts))
    chance.shuffle(texts)
    clusters = [
        next(part.partition("w")[0] for part in text.split() if part[0] == "c" and "w" in part) for text in texts
    ]
    assert len({clusters[index] for index in spread(texts, 600)}) == 600


@pytest.mark.parametrize("kind", ["random", "one beginning", "disjoint", "equal", "empty"])
def test_comparisons_grow_as_the_samples_do(kind, monkeypatch):
    chance = random.Random(3)
    beginning = " ".join(VOCABULARY)
    texts = {
        "random": sentences(chance, 1500),
        "one beginning": [f"{beginning} {text}" for text in sentences(chance, 1500)],
        "disjoint": [" ".join(f"{n}w{m}" for m in range(10)) for n in range(1500)],
        "equal": [beginning] * 1500,
        "empty": [""] * 1500,
    }[kind]
    calls: Counter[str] = Counter()

    def counted(name: str) -> None:
        method = getattr(ShingledTexts, name)

        def call(self, *indices):
            calls[name] += 1
            return method(self, *indices)

        monkeypatch.setattr(ShingledTexts, name, call)

    counted("similarities")
    counted("similarity")
    assert sorted(spread(texts, 1000)) == list(range(1500))
    assert calls["similarities"] == LANDMARKS
    assert calls["similarity"] <= COMPARISONS * len(texts)


def test_it_stops_when_told_to():
    chance = random.Random(4)
    texts = sentences(chance, 600)
    for rounds in (0, 5, LANDMARKS, LANDMARKS + 20):
        left = iter(range(rounds))
        order = spread(texts, 500, lambda left=left: next(left, None) is None)
        assert sorted(order) == list(range(600))


def test_four_thousand_samples_of_a_prompt_are_chosen_from(shell, tmp_path):
    chance = random.Random(5)
    rows = [
        {"id": f"s{n}", "question": "2 + 2?", "label": 1, "model": "m", "sample": n,
         "response": f"<think>{' '.join(chance.choices(VOCABULARY, k=300))}</think>\\boxed{{4}}"}
        for n in range(4000)
    ]  # fmt: skip
    (tmp_path / "rows.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    ended = shell("libra rs-filter --prefer diverse --per-prompt 1000 rows.jsonl", timeout=90)
    assert ended.status == 0, ended.err
    assert len(ended.out.splitlines()) == 1000


def test_the_similarity_of_texts_is_that_of_their_runs():
    texts = sentences(random.Random(6), 60)
    shingled = ShingledTexts(texts)
    runs = [set(shingles(words(text), 5)) for text in texts]
    for one in range(len(texts)):
        expected = [len(runs[one] & own) / len(runs[one] | own) for own in runs]
        assert np.array_equal(shingled.similarities(one), expected)
        assert [shingled.similarity(one, other) for other in range(len(texts))] == expected
