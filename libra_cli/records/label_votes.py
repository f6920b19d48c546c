"""Votes: what the rule, each model and a person say of one response, and the label that follows from them.

A vote is {"annotator", "verdict": "correct" | "wrong" | null, "reason" (null with a verdict)}; the rule's has `by`, the
level that decided; a model's has `provenance`, and in the file for reviewers `text`, what it wrote after its thinking.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from libra_cli.choices import RULES

VERDICTS = {1: "correct", 0: "wrong", None: None}
LABELS = {"correct": 1, "wrong": 0}
RULE = "rule"
FIRST, ONLY, NEVER, ALSO = RULES
"""How the rule and a panel work together."""
UNASKED = ("no_answer", "no_response")
"""Levels at which there is nothing that a model could compare."""
DISAGREEMENT, NO_VERDICT, TRUNCATED = "disagreement", "no_verdict", "truncated"

Vote = Mapping[str, Any]
Fields = Mapping[str, Any]
"""`label`, `verification` and `task`, as the rule gives them to a row."""


def wants_panel(ruled: Fields, rule: str) -> bool:
    """Whether a row that the rule has decided so (or was not asked about: `never`) goes to the models."""
    if rule == ONLY or ruled["verification"]["by"] in UNASKED:
        return False
    return rule != FIRST or ruled["label"] is None


def settled(ruled: Fields, panel: Sequence[Vote], human: Vote | None, rule: str) -> dict[str, Any]:
    """The row's fields from the rule's, the models' votes, and the last word of a person.

    `rule` says how the models were asked. Unanimous verdicts label. Where any two contradict each other the label is
    null (`disagreement`), as it is where one of the models came to none (`no_verdict`). A rule that cannot decide has
    no say.
    """
    label, verification = ruled["label"], dict(ruled["verification"])
    votes = [*([] if rule == NEVER else [rule_vote(ruled)]), *panel]
    if panel and wants_panel(ruled, rule):
        voters = [vote for vote in votes if vote["annotator"] != RULE or (rule == ALSO and vote["verdict"])]
        label, reason = unanimous(voters)
        by = "rule+panel" if len(voters) > len(panel) else "panel"
        verification = {"by": by, "answer": verification["answer"], **({"reason": reason} if reason else {})}
    if human is not None:
        label, votes = LABELS[human["verdict"]], [*votes, human]
        verification = {"by": "human", "answer": verification["answer"]}
    if panel or human is not None:
        verification["votes"] = votes
    return {**ruled, "label": label, "verification": verification}


def unanimous(votes: Sequence[Vote]) -> tuple[int | None, str | None]:
    """The label on which all agree, or None and why there is none."""
    verdicts = {vote["verdict"] for vote in votes}
    if len(verdicts - {None}) > 1:
        return None, DISAGREEMENT
    return (None, NO_VERDICT) if None in verdicts else (LABELS[verdicts.pop()], None)


def rule_vote(ruled: Fields) -> dict[str, Any]:
    """What the rule says, as a vote."""
    verification = ruled["verification"]
    named = {"annotator": RULE, "verdict": VERDICTS[ruled["label"]], "reason": verification.get("reason")}
    return {**named, "by": verification["by"]}


def earlier(fields: Fields) -> list[Vote]:
    """The votes that a row carries from an earlier run, the rule's among them."""
    verification = fields.get("verification")
    votes = verification.get("votes") if isinstance(verification, dict) else None
    return [vote for vote in votes if is_vote(vote)] if isinstance(votes, list) else []


def is_vote(value: Any) -> bool:
    """Whether a value from a row has the form of a vote."""
    return (
        isinstance(value, dict)
        and isinstance(value.get("annotator"), str)
        and value.get("verdict", "") in (*LABELS, None)
    )


def of_models(votes: Sequence[Vote]) -> list[Vote]:
    """The votes that models gave."""
    return [vote for vote in votes if "provenance" in vote]


def of_a_person(votes: Sequence[Vote]) -> Vote | None:
    """The last vote that a person gave."""
    given = [vote for vote in votes if vote["annotator"] != RULE and "provenance" not in vote and vote["verdict"]]
    return given[-1] if given else None


def was_asked(votes: Sequence[Vote]) -> str:
    """How the rule and the models worked together when a row got these votes."""
    rules = [vote for vote in votes if vote["annotator"] == RULE]
    if not rules:
        return NEVER if of_models(votes) else FIRST
    return ALSO if of_models(votes) and rules[0]["verdict"] else FIRST


def label_name(fields: Fields) -> str:
    """`correct`, `wrong` or `undecided REASON`, for counting."""
    return VERDICTS[fields["label"]] or f"undecided {fields['verification'].get('reason')}"


def needs_person(fields: Fields) -> bool:
    """Whether a person could settle what rule and models could not; nobody can where the response was cut short."""
    verification = fields["verification"]
    return fields["label"] is None and verification.get("reason") != TRUNCATED


def without_texts(fields: Fields) -> dict[str, Any]:
    """The fields with votes as rows have them; what the models wrote stands in the file for reviewers only."""
    verification = fields["verification"]
    if "votes" not in verification:
        return dict(fields)
    votes = [{name: value for name, value in vote.items() if name != "text"} for vote in verification["votes"]]
    return {**fields, "verification": {**verification, "votes": votes}}
