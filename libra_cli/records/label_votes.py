"""Votes of the rule, of models and of people on one response, and the label that follows from them.

A vote is {"annotator", "verdict": "correct" | "wrong" | null, "reason" (null with a verdict)}; the rule's has `by`, the
level that decided; a model's has `provenance`, and in the file for reviewers `text`, its text after the thinking.
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
UNASKED = ("no_answer", "other_answer", "no_response")
"""Levels of the rule at which a model would have nothing to compare."""
DISAGREEMENT, NO_VERDICT, TRUNCATED, IN_THINKING = "disagreement", "no_verdict", "truncated", "in_thinking"

Vote = Mapping[str, Any]
Fields = Mapping[str, Any]
"""`label`, `verification` and `task` of a row."""


def wants_panel(ruled: Fields, rule: str) -> bool:
    """Whether a row with these fields by rule goes to the models; `rule` says how rule and panel work together."""
    if rule == ONLY or ruled["verification"]["by"] in UNASKED:
        return False
    return rule != FIRST or ruled["label"] is None


def settled(ruled: Fields, panel: Sequence[Vote], human: Vote | None, rule: str) -> dict[str, Any]:
    """The final fields of a row, from those by rule, the votes of the models, and the vote of a person, which decides.

    `rule` says how rule and panel work together. Unanimous verdicts become the label. It is null if two of them
    contradict each other (`disagreement`), or if a model has no verdict (`no_verdict`). A rule that cannot decide does
    not count.
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
    """The label on which all votes agree, or None and the reason."""
    verdicts = {vote["verdict"] for vote in votes}
    if len(verdicts - {None}) > 1:
        return None, DISAGREEMENT
    return (None, NO_VERDICT) if None in verdicts else (LABELS[verdicts.pop()], None)


def rule_vote(ruled: Fields) -> dict[str, Any]:
    """The fields by rule as a vote."""
    verification = ruled["verification"]
    named = {"annotator": RULE, "verdict": VERDICTS[ruled["label"]], "reason": verification.get("reason")}
    return {**named, "by": verification["by"]}


def earlier(fields: Fields) -> list[Vote]:
    """The votes that a row carries from an earlier run, including the rule's."""
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
    """The votes of models."""
    return [vote for vote in votes if "provenance" in vote]


def of_a_person(votes: Sequence[Vote]) -> Vote | None:
    """The last vote of a person; None if there is none."""
    of_people = [vote for vote in votes if vote["annotator"] != RULE and "provenance" not in vote and vote["verdict"]]
    return of_people[-1] if of_people else None


def was_asked(votes: Sequence[Vote]) -> str:
    """How rule and panel worked together when a row got these votes."""
    rules = [vote for vote in votes if vote["annotator"] == RULE]
    if not rules:
        return NEVER if of_models(votes) else FIRST
    return ALSO if of_models(votes) and rules[0]["verdict"] else FIRST


def label_name(fields: Fields) -> str:
    """`correct`, `wrong` or `undecided REASON`, for counting."""
    return VERDICTS[fields["label"]] or f"undecided {fields['verification'].get('reason')}"


def needs_person(fields: Fields) -> bool:
    """Whether a person could decide the row; not if its response was truncated."""
    verification = fields["verification"]
    return fields["label"] is None and verification.get("reason") not in (TRUNCATED, IN_THINKING)


def without_texts(fields: Fields) -> dict[str, Any]:
    """The fields without the texts of the votes, which only the file for reviewers has."""
    verification = fields["verification"]
    if "votes" not in verification:
        return dict(fields)
    votes = [{name: value for name, value in vote.items() if name != "text"} for vote in verification["votes"]]
    return {**fields, "verification": {**verification, "votes": votes}}
