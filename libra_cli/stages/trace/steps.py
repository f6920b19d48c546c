"""The steps of a record's life: what each stage made of it, and where it stops."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from libra_cli.plural import counted
from libra_cli.records.row_verdict import golden_verdict, verdict_of
from libra_cli.stages.trace.files import TracedFile, TracedRow
from libra_cli.stages.trace.responses import PROBLEM, Key, TracedResponses
from libra_cli.stream.rows import Fields, record_id

_SHOWN = 70
_RULED_OUT = {"label": {0: {"unlabelled"}, 1: {"unlabelled"}}}
"""What an earlier step says of a record, and the reasons for which a later stage then cannot have left it out."""
_PASSED_ON = "verify"
"""The stage whose rows others write on in the same form."""


@dataclass(frozen=True)
class TraceStep:
    """What a file says of a problem or response; `line` 0: nothing."""

    file: str
    line: int
    stage: str
    text: str
    facts: Mapping[str, Any] = field(default_factory=dict)
    original: str = ""
    """`FILE:LINE` of the row that this one repeats, in a file of which nothing says which stage wrote it."""

    @property
    def written_by(self) -> str:
        """The stage that wrote the row; `?` if that is not certain."""
        return "?" if self.original else self.stage

    @property
    def found(self) -> bool:
        """Whether the file has it."""
        return self.line > 0


@dataclass
class Life:
    """The steps of a problem, or of one of its responses."""

    name: str
    key: Key
    is_sampled: bool
    """Whether its key has the sample, not a hash."""
    steps: list[TraceStep] = field(default_factory=list)


def lives_of(record: str, files: Sequence[TracedFile]) -> list[Life]:
    """The life of the problem `record`, then those of its responses, from files in the order of their stages."""
    found: dict[Key, list[TraceStep]] = {}
    responses = TracedResponses([(row.fields, row.name) for file in files for row in file.rows])
    for file in files:
        for row in file.rows:
            for key, remark in responses.keys(row.fields, row.name).items():
                steps = found.setdefault(key, [])
                steps.append(step(file, row, steps, remark))
    lives = [
        Life(
            responses.name(record, key),
            key,
            responses.is_sampled(key),
            steps if key == PROBLEM else with_gaps(steps, files),
        )
        for key, steps in found.items()
    ]
    return sorted(lives, key=lambda life: (life.key[0], life.is_sampled, len(life.key[1]), life.key[1]))


def step(file: TracedFile, row: TracedRow, earlier: Sequence[TraceStep], remark: str) -> TraceStep:
    """What a file says in a row, after the steps before; `remark`: how certain it is that it says it of this one."""
    if row.refused is not None:
        facts: dict[str, Any] = {name: row.refused.get(name) for name in ("class", "reason", "place")}
        stage = str(row.refused.get("stage", ""))
        return TraceStep(file.path, row.line, stage, f"refused: {facts['reason']} ({facts['class']})", facts)
    text, told = _SAID.get(file.stage, said_nothing)(row.fields)
    text += remark
    original = ""
    if file.is_guess and file.stage == _PASSED_ON:  # as balance, mix and merge write a row on
        repeated = [one for one in earlier if one.stage == _PASSED_ON and one.found and one.file != file.path]
        first = [one for one in repeated if one.file == repeated[0].file]  # more than one: of the same text
        original = " or ".join(f"{one.file}:{one.line}" for one in first)
        text = f"as {original}, {text}" if original else text
    return TraceStep(file.path, row.line, file.stage or "?", text, told, original)


def with_gaps(steps: Sequence[TraceStep], files: Sequence[TracedFile]) -> list[TraceStep]:
    """The steps, and a step for each stage behind the first one whose files lack the record, up to where it stops."""
    stages = list(dict.fromkeys(file.stage for file in files if file.rank >= 0))
    there = {step.stage for step in steps if step.stage}
    begin = next((at for at, stage in enumerate(stages) if stage in there), len(stages))
    last = max((at for at, stage in enumerate(stages) if stage in there), default=begin)
    made: list[TraceStep] = []
    for at, stage in enumerate(stages):
        made += [step for step in steps if step.stage == stage]
        if stage in there or at < begin or at > last + 1 or stage == "collect":
            continue
        of_stage = [file for file in files if file.stage == stage]
        reasons: dict[str, int] = {}
        impossible = {"other_shard", *_ruled_out(made)}
        for file in of_stage:
            for name, count in file.filtered.items():
                if name not in impossible:
                    reasons[name] = reasons.get(name, 0) + count
        why = ", ".join(f"{name} {count:,}" for name, count in reasons.items())
        text = "not there" + (f": {stage} left out {why}" if why else "")
        made.append(TraceStep(", ".join(file.path for file in of_stage), 0, stage, text, {"filtered": reasons}))
    return [*made, *(step for step in steps if step.stage not in stages)]


def _ruled_out(steps: Sequence[TraceStep]) -> set[str]:
    """The reasons that cannot be those for which a later stage left a record out, by what the steps say of it."""
    told = {name: value for one in steps for name, value in one.facts.items() if name in _RULED_OUT}
    return {reason for name, value in told.items() for reason in _RULED_OUT[name].get(value, ())}


def said_nothing(fields: Fields) -> tuple[str, Mapping[str, Any]]:
    """A row of a form that is not known."""
    return "", {}


def said_rollout(fields: Fields) -> tuple[str, Mapping[str, Any]]:
    """How a response ended, and its last words."""
    facts: dict[str, Any] = {name: fields[name] for name in ("finish_reason", "n_tokens") if name in fields}
    end = " ".join(str(fields.get("response") or fields.get("response_with_cot") or "").split())[-_SHOWN:]
    tokens = f", {facts['n_tokens']:,} tokens" if isinstance(facts.get("n_tokens"), int) else ""
    return f"{facts.get('finish_reason') or 'ended'}{tokens}: {end}", facts


def _said_label(fields: Fields) -> tuple[str, Mapping[str, Any]]:
    verification = fields.get("verification")
    found = verification if isinstance(verification, dict) else {}
    facts = {
        "label": fields.get("label"),
        **{name: found[name] for name in ("by", "answer", "reason") if name in found},
    }
    label = {1: "correct", 0: "incorrect", None: "undecided"}.get(facts["label"], str(facts["label"]))
    details = [f"{name} {facts[name]}" for name in ("by", "answer", "reason") if facts.get(name) is not None]
    return f"{label} ({', '.join(details)})" if details else label, facts


def said_judge(fields: Fields) -> tuple[str, Mapping[str, Any]]:
    """What a judge said, and whether the label says the same."""
    names = ("judge", "judge_task", "score", "prediction", "unjudged", "gate", "probe")
    facts: dict[str, Any] = {name: fields[name] for name in names if name in fields}
    judgments = fields.get("judgments")
    votes = [one.get("outcome") for one in judgments if isinstance(one, dict)] if isinstance(judgments, list) else []
    facts["votes"] = votes
    verdict, golden = verdict_of(fields, 1), golden_verdict(fields, 1)
    right = "" if verdict is None or golden is None else ", right" if verdict == golden else ", wrong"
    facts["right"] = None if not right else right == ", right"
    unjudged = f"unjudged ({facts.get('unjudged')})"
    score = unjudged if facts.get("score") is None else f"score {facts['score']}"
    score += f", {unjudged}" if "unjudged" in facts and facts.get("score") is not None else ""
    shown = ", ".join("null" if vote is None else str(vote) for vote in votes[:8])
    said = f"{counted(len(votes), 'vote')}: {shown}{', …' if len(votes) > 8 else ''}" if votes else "no votes"
    return f"{facts.get('judge', 'judge')}: {score}{right}; {said}", facts


def _said_training(fields: Fields) -> tuple[str, Mapping[str, Any]]:
    facts: dict[str, Any] = {name: fields[name] for name in ("task", "source", "label") if name in fields}
    return f"kept: {str(facts.get('source', '')).replace(f'{record_id(fields)}/', '')}", facts


def said_kept(fields: Fields) -> tuple[str, Mapping[str, Any]]:
    """A label that an earlier stage gave."""
    text, facts = _said_label(fields)
    return f"kept, {text}", facts


_SAID = {
    "rollout": said_rollout, "verify": _said_label, "review": _said_label, "balance": said_kept, "judge": said_judge,
    "rs-filter": _said_training, "dpo-pairs": _said_training,
}  # fmt: skip
"""How a row of each stage is told."""
