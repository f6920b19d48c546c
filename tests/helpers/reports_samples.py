"""Reports as `libra score` makes them, with names and texts that try to be more than text."""

from __future__ import annotations

from typing import Any

HOSTILE = "</script><script>alert(1)</script><img src=x onerror=alert(1)>[bold red]x[/]\x1b[31m$&_#%{}|`*"


def section(value: float, n: int = 100, **more: Any) -> dict[str, Any]:
    return {"n": n, "n_null": 1, "value": value, "interval": [value - 0.02, value + 0.03], **more}


def pointwise(judge: str = "Judge-A", shift: float = 0.0, **more: Any) -> dict[str, Any]:
    by_label = {"accuracy_correct": 0.9, "accuracy_incorrect": 0.7}
    names = ("MATH-500", "AIME 2024", "AIME 2025")
    bins = [
        {"low": at / 5, "high": (at + 1) / 5, "n": 40 * at, "mean_score": at / 5 + 0.1, "accuracy": at / 5}
        for at in range(5)
    ]
    return {
        "benchmark": "libra-bench",
        "judge": judge,
        "file": f"{judge}.jsonl",
        "protocol": "paper",
        "metric": "accuracy",
        "n": 300,
        "n_null": 3,
        "null_reasons": {"no_verdict": 2, "truncated": 1},
        "null": "rule",
        "sections": {name: section(0.8 + shift - at / 50, **by_label) for at, name in enumerate(names)},
        "overall": 0.7801 + shift,
        "overall_is": "mean",
        "interval": [0.75 + shift, 0.81 + shift],
        **by_label,
        "threshold": 2.0,
        "threshold_how": "fixed",
        "macro_f1": 0.7794,
        "null_correct": 2,
        "null_incorrect": 1,
        "thresholds": {
            "fixed": {"threshold": 2.0, "overall": 0.7801 + shift},
            "searched": {"threshold": 3.0, "overall": 0.79 + shift},
            "cross_fitted": {"thresholds": [2.0, 3.0, 3.0], "overall": 0.785, "optimism": 0.005, "folds": 3},
        },
        "confusion": {"tp": 1341, "tn": 112, "fp": 35, "fn": 12},
        "intervals": {"macro_f1": [0.75, 0.8], "accuracy_correct": [0.88, 0.92], "accuracy_incorrect": None},
        "calibration": {
            "brier": 0.1622,
            "ece": 0.0731,
            "roc_auc": 0.8571,
            "pr_auc": 0.862,
            "reliability": bins,
            "risk_coverage": [[0.1, 0.02], [0.5, 0.1], [1.0, 0.22 - shift]],
            "scale": [0, 4],
        },
        "bootstrap": {"resamples": 1000, "seed": 0, "unit": "problem", "n_units": 194},
        "notes": ["a remark"],
        **more,
    }


def pairwise() -> dict[str, Any]:
    return {
        "benchmark": "judgebench",
        "judge": "o1-mini",
        "file": "o1.jsonl",
        "protocol": "official",
        "n": 350,
        "n_null": 0,
        "null_reasons": {},
        "sections": {"knowledge": section(0.5844), "coding": section(0.7857)},
        "overall": 0.6571,
        "overall_is": "pooled",
        "interval": [0.61, 0.7],
        "flip_rate": 0.213,
        "flip_interval": [0.2, 0.23],
        "position_bias": {"first": 0.57, "second": 0.4, "tie": 0.03},
        "ties": 12,
        "bootstrap": None,
        "notes": [],
    }


def reasoning() -> dict[str, Any]:
    figures = {str(k): {"value": value, "interval": [value - 0.1, value], "n": 60} for k, value in ((1, 0.4), (8, 0.7))}
    return {
        "benchmark": "reasoning",
        "judge": "policy",
        "file": "r.jsonl",
        "metric": "pass@1",
        "n": 480,
        "n_null": 0,
        "sections": {"AIME 2024": section(0.4)},
        "overall": 0.4,
        "overall_is": "pooled",
        "interval": None,
        "pass@k": figures,
        "maj@k": {"8": figures["8"]},
        "mean@n": {"8": figures["1"]},
        "notes": [],
    }


def correlation() -> dict[str, Any]:
    points = [("A", 0.551, 0.42), ("B", 0.66, 0.48), (HOSTILE, 0.7, 0.47), ("D", 0.82, 0.5)]
    figure = {"value": 0.912, "interval": [0.1, 0.99], "bootstrap": None}
    return {
        "x": "judge_accuracy",
        "y": "pass@1",
        "n": 4,
        "notes": ["n is small"],
        "points": [{"name": name, "x": x, "y": y, "group": "7B"} for name, x, y in points],
        "pearson": figure,
        "spearman": figure,
        "leave_one_out": [{"without": "A", "pearson": 0.8, "spearman": 0.5}],
        "leave_one_out_range": {"pearson": [0.7, 0.95], "spearman": [0.5, 1.0]},
    }


def examples() -> list[dict[str, Any]]:
    long = "The response goes on. " * 400 + "And this is its END."
    return [
        {
            "id": "a1",
            "section": "AIME 2024",
            "question": HOSTILE,
            "response": long,
            "label": 1,
            "prediction": 0,
            "score": 0.25,
            "judgment_text": "It is wrong.\n[[score=0]]",
            "why": HOSTILE,
        },
        {
            "id": "a2",
            "section": "MATH-500",
            "question": "Q",
            "responses": [HOSTILE, "two"],
            "label": "A>B",
            "prediction": "B>A",
            "score": [1, 2],
            "judgment_text": None,
            "why": "confident",
        },
    ]


def comparison(a: str, b: str) -> dict[str, Any]:
    return {
        "a": a,
        "b": b,
        "n": 300,
        "only_a": 1,
        "only_b": 0,
        "difference": 0.0413,
        "interval": [0.022, 0.061],
        "p_bootstrap": 0.002,
        "mcnemar": {"b": 31, "c": 16, "p": 3e-12},
        "detectable_difference": 0.019,
        "p_adjusted": 0.002,
        "better": "a",
        "notes": ["one item of a has no match"],
    }


def published(name: str, overall: float) -> list[dict[str, Any]]:
    """What `against` gives for a report: two rows of the paper, and the user's."""
    rows = [("Paper-1", 0.817, False), ("Paper-2", 0.5, False), (name, overall, True)]
    return [
        {
            "table": "Table 2",
            "benchmark": "libra-bench",
            "rank": 0,
            "model": model,
            "overall": value,
            "overall_is": "mean",
            "yours": yours,
            "category": None if yours else "LLM-as-a-judge",
            "sections": {"MATH-500": value},
        }
        for model, value, yours in rows
    ]


def everything() -> dict[str, Any]:
    """Two judges of one benchmark, a hostile name among them, and one report of each other kind."""
    first, second = pointwise(examples=examples()), pointwise(HOSTILE, -0.041)
    return {
        "reports": [first, second, pairwise(), reasoning()],
        "comparisons": [comparison("Judge-A", HOSTILE)],
        "published": published("Judge-A", 0.7801) + published(HOSTILE, 0.739),
        "correlation": correlation(),
    }
