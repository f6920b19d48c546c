"""From the judgments on a row to its score and prediction. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from libra_cli.sampling import votes
from libra_cli.sampling.judge_prompts import LIST, PAIR, JudgePlan, Pair
from libra_cli.tasks.judge import HALF, VERIFY, is_above, is_tie

TIED = "tied"
"""Why there is no prediction if several responses share the first place, or half of the votes say correct."""

Judgments = Sequence[dict[str, Any]]


@dataclass(frozen=True)
class AggregationRule:
    """How votes become a score and a prediction."""

    reduce: str
    threshold: float | None = None
    """A score above it means a correct response; None leaves that to libra score."""
    lowest: float | None = None
    """The score of a non-answer; None if the scores have no lowest."""
    task: str = ""
    """Name of the judge's task; the votes of `verify` are verdicts, and without a threshold the majority decides."""


def aggregate(plan: JudgePlan, judgments: Judgments, rule: AggregationRule) -> dict[str, Any]:
    """`score`, `scores` and `prediction`; why there is none (`unjudged`), and why no judge was asked (`gate`)."""
    if plan.shows == PAIR:
        fields = _of_pairs(plan, judgments, rule)
    elif plan.shows == LIST:
        fields = _of_list(plan, judgments)
    elif len(plan.item.responses) == 1:
        fields = _of_response(plan, judgments, rule)
    else:
        fields = _of_responses(plan, judgments, rule)
    reasons = Counter(judgment["reason"] for judgment in judgments if "reason" in judgment)
    if fields["score"] is None and fields["prediction"] is None and "unjudged" not in fields and reasons:
        fields["unjudged"] = reasons.most_common(1)[0][0]
    gates = [gate for gate in plan.gates if gate is not None]
    if gates and not plan.prompts:
        fields["gate"] = gates[0]
    if gates and len(plan.gates) > 1:
        fields["gates"] = list(plan.gates)
    return fields


def _of_response(plan: JudgePlan, judgments: Judgments, rule: AggregationRule) -> dict[str, Any]:
    """A single response: its reduced score, and what the threshold makes of that."""
    if plan.gates[0] is not None:
        return {"score": rule.lowest, "prediction": 0}
    score = votes.reduced(votes.values(judgment["outcome"] for judgment in judgments), rule.reduce)
    threshold = HALF if rule.threshold is None and rule.task == VERIFY else rule.threshold
    if score is None or threshold is None:
        return {"score": score, "prediction": None}
    if is_tie(score, threshold, rule.task):
        return {"score": score, "prediction": None, "unjudged": TIED}
    return {"score": score, "prediction": int(is_above(score, threshold))}


def _of_responses(plan: JudgePlan, judgments: Judgments, rule: AggregationRule) -> dict[str, Any]:
    """Responses judged one by one: of two the preference, of more the best.

    There is no prediction while a score is missing. A non-answer is worse than any other response, whatever its score.
    """
    scores: list[float | None] = []
    ranked: list[float] = []
    for index, gate in enumerate(plan.gates):
        outcomes = (judgment["outcome"] for judgment in judgments if judgment.get("response") == index)
        score = rule.lowest if gate is not None else votes.reduced(votes.values(outcomes), rule.reduce)
        scores.append(score)
        if gate is not None:
            ranked.append(float("-inf"))
        elif score is not None:
            ranked.append(score)
    fields: dict[str, Any] = {"scores": scores, "score": None, "prediction": None}
    if len(ranked) < len(scores):
        return fields
    if len(ranked) == 2:
        fields["prediction"] = votes.preference(ranked[0] - ranked[1] if ranked[0] != ranked[1] else 0)
    else:
        fields["prediction"] = votes.highest(ranked)
        if fields["prediction"] is None:
            fields["unjudged"] = TIED
    return fields


def _of_pairs(plan: JudgePlan, judgments: Judgments, rule: AggregationRule) -> dict[str, Any]:
    """One comparison: its margin and preference. Several: the response that wins most of them.

    There is no such response if several share the first place, or if a comparison has no verdict.
    """
    if len(plan.item.responses) == 2:
        margin = margins(plan, judgments, rule)[plan.pairs[0]]
        return {"score": margin, "prediction": None if margin is None else votes.preference(margin)}
    wins = [0] * len(plan.item.responses)
    for pair, margin in margins(plan, judgments, rule).items():
        if margin is None:
            return {"score": None, "prediction": None}
        if margin:
            wins[pair[0] if margin > 0 else pair[1]] += 1
    return {"score": None, "prediction": votes.highest(wins)}


def margins(plan: JudgePlan, judgments: Judgments, rule: AggregationRule) -> dict[Pair, float | None]:
    """How far the first response of each comparison is ahead, from 2 to -2; None without a verdict."""
    if len(plan.item.responses) == 2:
        return {pair: _margin(plan, pair, judgments, rule) for pair in plan.pairs}
    own: dict[Pair, list[dict[str, Any]]] = {pair: [] for pair in plan.pairs}
    for judgment in judgments:
        own[tuple(judgment["pair"])].append(judgment)
    return {pair: _margin(plan, pair, own[pair], rule) for pair in plan.pairs}


def _margin(plan: JudgePlan, pair: tuple[int, int], judgments: Judgments, rule: AggregationRule) -> float | None:
    """How far the first response of a pair is ahead, from the votes with a verdict in every order that was shown.

    A vote with a verdict in one order only would count the judge's preference for a place as one for a response.
    """
    gated = gate_verdict(plan, pair)
    unreadable = {judgment["vote"] for judgment in judgments if judgment["outcome"] is None} if not gated else set()
    outcomes = [gated] if gated else [one["outcome"] for one in judgments if one["vote"] not in unreadable]
    return votes.compared(votes.values(outcomes), rule.reduce)


def unanimous(plan: JudgePlan, judgments: Judgments) -> dict[Pair, int | None]:
    """Who wins all votes of a comparison in every order: 1 the first response, -1 the second, 0 neither of them.

    A vote without a verdict is won by neither; None if a request failed.
    """
    found: dict[Pair, int | None] = {}
    for pair in plan.pairs:
        gated = gate_verdict(plan, pair)
        asked = [one for one in judgments if "gate" not in one and tuple(one.get("pair", pair)) == pair]
        outcomes = [gated] if gated else [judgment["outcome"] for judgment in asked]
        signs = {votes.sign(value) for value in votes.values(outcomes)}
        if not gated and any("error" in judgment for judgment in asked):
            found[pair] = None
        else:
            found[pair] = signs.pop() if len(signs) == 1 and None not in outcomes else 0
    return found


def gate_verdict(plan: JudgePlan, pair: tuple[int, int]) -> str | None:
    """The verdict of the gate on a pair with a non-answer: the other response is much better; two are a tie."""
    first, second = (plan.gates[index] is not None for index in pair)
    return {(True, True): "A=B", (True, False): "B>>A", (False, True): "A>>B"}.get((first, second))


def judgments_by_gate(plan: JudgePlan) -> list[dict[str, Any]]:
    """The verdicts of the gate on the comparisons of a row with several; that on a single pair is its prediction."""
    judgments = []
    for pair in plan.pairs if len(plan.item.responses) > 2 else ():
        verdict = gate_verdict(plan, pair)
        if verdict is not None:
            gate = plan.gates[pair[0]] or plan.gates[pair[1]]
            judgments.append({"outcome": verdict, "pair": list(pair), "gate": gate})
    return judgments


def _of_list(plan: JudgePlan, judgments: Judgments) -> dict[str, Any]:
    """A list: the response that most votes chose, and its share of the votes with a verdict."""
    live = [index for index, gate in enumerate(plan.gates) if gate is None]
    if len(live) == 1:
        return {"score": 1, "prediction": live[0]}
    chosen = [judgment["outcome"] - 1 for judgment in judgments if judgment["outcome"] is not None]
    best = votes.favourite(chosen)
    if best is None:
        return {"score": None, "prediction": None, **({"unjudged": TIED} if chosen or not live else {})}
    return {"score": votes.plain(chosen.count(best) / len(chosen)), "prediction": best}
