"""From the judgments on a row to its score and prediction. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from libra_cli.sampling.judge_prompts import LIST, PAIR, JudgePlan
from libra_cli.stages.judge import votes

TIED = "tied"
"""Why several responses have no prediction where more than one of them shares the first place."""

Judgments = Sequence[dict[str, Any]]


@dataclass(frozen=True)
class AggregationRule:
    """How votes become a decision."""

    reduce: str
    threshold: float | None = None
    """A score above it means a correct response; None leaves that to libra score."""
    lowest: float | None = None
    """What a response that is no answer gets; None where the scores have no lowest."""
    decides: bool = False
    """The votes are verdicts of right or wrong: a score above one half means correct, without a threshold too."""


def aggregate(plan: JudgePlan, judgments: Judgments, rule: AggregationRule) -> dict[str, Any]:
    """`score`, `scores`, `prediction`, and why there is none (`unjudged`) or why no judge was asked (`gate`)."""
    shape = {PAIR: _pair, LIST: _list}.get(plan.shows, _single if len(plan.item.responses) == 1 else _several)
    fields = shape(plan, judgments, rule)
    if fields["score"] is None and fields["prediction"] is None and "unjudged" not in fields:
        fields |= _why(judgments)
    return {**fields, **_gated(plan)}


def _why(judgments: Judgments) -> dict[str, str]:
    """The most frequent reason of the votes."""
    reasons = Counter(judgment["reason"] for judgment in judgments if "reason" in judgment)
    return {"unjudged": reasons.most_common(1)[0][0]} if reasons else {}


def _gated(plan: JudgePlan) -> dict[str, Any]:
    found = [gate for gate in plan.gates if gate is not None]
    named = {"gate": found[0]} if found and not plan.prompts else {}
    return {**named, "gates": list(plan.gates)} if found and len(plan.gates) > 1 else named


def _single(plan: JudgePlan, judgments: Judgments, rule: AggregationRule) -> dict[str, Any]:
    if plan.gates[0] is not None:
        return {"score": rule.lowest, "prediction": 0}
    score = votes.reduced(votes.values(judgment["outcome"] for judgment in judgments), rule.reduce)
    return {"score": score, "prediction": _is_correct(score, rule)}


def _is_correct(score: float | None, rule: AggregationRule) -> int | None:
    """A share of one half of the verdicts is neither."""
    if score is None or (rule.threshold is None and not (rule.decides and score != 0.5)):
        return None
    return int(score > (0.5 if rule.threshold is None else rule.threshold))


def _several(plan: JudgePlan, judgments: Judgments, rule: AggregationRule) -> dict[str, Any]:
    """Of responses that were judged one by one, two are compared, and of more the best is chosen."""
    scores = [_score_of(place, gate, judgments, rule) for place, gate in enumerate(plan.gates)]
    prediction = _preferred(plan, scores)
    missing = any(score is None and gate is None for score, gate in zip(scores, plan.gates, strict=True))
    tied = {} if missing or prediction is not None else {"unjudged": TIED}
    return {"scores": scores, "score": None, "prediction": prediction, **tied}


def _score_of(place: int, gate: str | None, judgments: Judgments, rule: AggregationRule) -> float | None:
    if gate is not None:
        return rule.lowest
    outcomes = (judgment["outcome"] for judgment in judgments if judgment["response"] == place)
    return votes.reduced(votes.values(outcomes), rule.reduce)


def _preferred(plan: JudgePlan, scores: Sequence[float | None]) -> str | int | None:
    """None where a score is missing. A response that is no answer is worse than any other, whatever its score."""
    ranked = [float("-inf") if gate else score for score, gate in zip(scores, plan.gates, strict=True)]
    known = [score for score in ranked if score is not None]
    if len(known) < len(ranked):
        return None
    if len(known) == 2:
        first, second = known
        return votes.preference(0 if first == second else 1 if first > second else -1)
    return votes.highest(known)


def _pair(plan: JudgePlan, judgments: Judgments, rule: AggregationRule) -> dict[str, Any]:
    if len(plan.item.responses) > 2:
        return {"score": None, "prediction": _winner(plan, judgments, rule)}
    gated = gate_verdict(plan, plan.pairs[0])
    said = votes.values([gated] if gated else _in_all_orders(judgments))
    score = votes.compared(said, rule.reduce)
    return {"score": score, "prediction": None if score is None else votes.preference(score)}


def _in_all_orders(judgments: Judgments) -> list[Any]:
    """The outcomes of the votes that can be read in every order in which they were asked for.

    One that can be read in one order only would count the judge's preference for a place as one for a response.
    """
    torn = {judgment["vote"] for judgment in judgments if judgment["outcome"] is None}
    return [judgment["outcome"] for judgment in judgments if judgment["vote"] not in torn]


def gate_verdict(plan: JudgePlan, pair: tuple[int, int]) -> str | None:
    """Of a pair with a response that is no answer: the other one is much better, and two of them are a tie."""
    first, second = (plan.gates[place] is not None for place in pair)
    return {(True, True): "A=B", (True, False): "B>>A", (False, True): "A>>B"}.get((first, second))


def judgments_by_gate(plan: JudgePlan) -> list[dict[str, Any]]:
    """What the gate says of the comparisons of a row that has several; a single one shows in its prediction."""
    found = [(pair, gate_verdict(plan, pair)) for pair in plan.pairs] if len(plan.item.responses) > 2 else []
    gates = {pair: plan.gates[pair[0]] or plan.gates[pair[1]] for pair, _ in found}
    return [{"outcome": said, "pair": list(pair), "gate": gates[pair]} for pair, said in found if said is not None]


def _winner(plan: JudgePlan, judgments: Judgments, rule: AggregationRule) -> int | None:
    """The response that wins most of its comparisons; None where several do, or one of these could not be read."""
    wins = [0] * len(plan.item.responses)
    for pair in plan.pairs:
        gated = gate_verdict(plan, pair)
        own = [judgment for judgment in judgments if judgment["pair"] == list(pair)]
        margin = votes.compared(votes.values([gated] if gated else _in_all_orders(own)), rule.reduce)
        if margin is None:
            return None
        if margin:
            wins[pair[0] if margin > 0 else pair[1]] += 1
    return votes.highest(wins)


def _list(plan: JudgePlan, judgments: Judgments, rule: AggregationRule) -> dict[str, Any]:
    """The response that most votes chose, and their share of those that can be read."""
    live = [place for place, gate in enumerate(plan.gates) if gate is None]
    if len(live) == 1:
        return {"score": 1, "prediction": live[0]}
    chosen = [judgment["outcome"] - 1 for judgment in judgments if judgment["outcome"] is not None]
    best = votes.favourite(chosen)
    if best is None:
        return {"score": None, "prediction": None, **({"unjudged": TIED} if chosen or not live else {})}
    return {"score": votes.plain(chosen.count(best) / len(chosen)), "prediction": best}
