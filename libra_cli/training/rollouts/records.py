"""Rollouts as rows: written with --save-rollouts for `libra judge` and `libra score`, and read again for a replay."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import closing
from itertools import chain
from pathlib import Path
from statistics import fmean
from typing import Any, NamedTuple

import numpy as np

from libra_cli.choices import JUDGE_FIELDS
from libra_cli.exits import Exit, Fatal
from libra_cli.stream import rows
from libra_cli.stream.files import write_whole
from libra_cli.stream.line_source import InputFiles
from libra_cli.stream.reader import BadLine, read_rows
from libra_cli.stream.sinks import write_failed
from libra_cli.tasks import JUDGING, JudgeTask
from libra_cli.training import own_folder
from libra_cli.training.data.prompts import PromptStore, VerifiablePrompt
from libra_cli.training.rewards import Facts, NullBy, RewardBatch, RewardPlan
from libra_cli.training.rewards.facts import is_ragged, key_of
from libra_cli.training.rewards.plan import MEASURED
from libra_cli.training.rollouts.rollout import GradedResponse, Judged, MeasuredResponse, facts_of


class SavedRollout(NamedTuple):
    """Which responses were sampled at once: a rollout's first ones (attempt 0), or those that replace prompts."""

    number: int
    attempt: int
    step: int
    """Steps before it."""


Attempt = tuple[Sequence[GradedResponse], RewardBatch, np.ndarray]
"""P x G responses that were sampled at once, their rewards, and bool [P * G]: the loss counts it."""


def write_records(
    folder: Path,
    number: int,
    step: int,
    model: str,
    store: PromptStore,
    attempts: Sequence[Attempt],
    token_ids: bool = False,
) -> None:
    """Writes ROLLOUTS/rollout-NUMBER.jsonl: a row for each response, with its grade, reward and advantage.

    `attempts`: what was sampled first, then what was sampled to replace prompts; `token_ids`: write these too. The file
    appears when it is whole. Raises Fatal(74) if it cannot be written.
    """
    path = folder / own_folder.ROLLOUTS / f"rollout-{number}.jsonl"
    try:
        path.parent.mkdir(exist_ok=True)
    except OSError as error:
        raise write_failed(str(path), error, begun=True) from None
    run = own_folder.run_of(folder)
    named = {"run": run} if run else {}
    made = ({**named, "number": number, "step": step, "attempt": attempt} for attempt in range(len(attempts)))
    rows_of = (_rows(each, model, store, token_ids, *given) for each, given in zip(made, attempts, strict=True))
    write_whole(str(path), chain.from_iterable(rows_of), begun=True)


def _rows(
    made: Mapping[str, Any],
    model: str,
    store: PromptStore,
    token_ids: bool,
    responses: Sequence[GradedResponse],
    rewarded: RewardBatch,
    learned: np.ndarray,
) -> Iterator[bytes]:
    rewards, advantages = rewarded.rewards_P_G.reshape(-1), rewarded.advantages_P_G.reshape(-1)
    terms = rewarded.terms_K_P_G.reshape(len(rewarded.names_K), -1)
    prompts = {index: store.prompt(index) for index in {response.prompt for response in responses}}
    for place, response in enumerate(responses):
        prompt = prompts[response.prompt]
        graded = {
            **made,
            "position": response.position,
            "correct": response.correct,
            "null_by": response.null_by.name.lower(),
            **({"reason": response.reason} if response.reason else {}),
            "format": response.keeps_format,
            "reward": _number(rewards[place]),
            "terms": {name: _number(terms[k, place]) for k, name in enumerate(rewarded.names_K)},
            "advantage": _number(advantages[place]),
            "learned": bool(learned[place]),
            "n_tokens": len(response.token_ids),
            "finish_reason": response.finish_reason,
            **({"token_ids": response.token_ids.tolist()} if token_ids else {}),
            "text": response.text,
            **_judged_fields(response.judged),
        }
        said: Mapping[str, Any] = {}
        record = prompt.record
        if response.judged is not None:  # the verdicts of an earlier judge are not about this response
            said = response.judged.fields or {}
            record = {name: value for name, value in record.items() if name not in JUDGE_FIELDS}
        sample = _group_number(response, prompt.id, store) * rewarded.rewards_P_G.shape[1] + response.sample
        fields = {**_answer_fields(prompt, response, model), "sample": sample, **said, "rollout": graded}
        yield rows.dumps({**record, "id": prompt.id, "task": prompt.task.name, **fields}) + b"\n"


def _group_number(response: GradedResponse, id: str, store: PromptStore) -> int:
    """The place of a response's group among all that the run makes of prompts with this id: their samples go on."""
    sharing = store.sharing_id(response.prompt, id)
    return response.position // len(store) * len(sharing) + sharing.index(response.prompt)


def _answer_fields(prompt: VerifiablePrompt, response: GradedResponse, model: str) -> dict[str, Any]:
    """What `libra rollout | libra verify` or `libra judge` would have added to the row."""
    if not isinstance(prompt.task, JudgeTask):
        label = None if response.correct is None else int(response.correct)
        texts = {"response": response.response, "response_with_cot": response.text}
        more = {"finish_reason": response.finish_reason, "n_tokens": len(response.token_ids)}
        return {"model": model, **texts, **more, "label": label}
    why = {"reason": response.reason} if response.outcome is None else {}
    judgment = {"outcome": response.outcome, **why, "vote": 0, **prompt.order, "text": response.response}
    score = {"score": response.outcome} if isinstance(response.outcome, int) or response.outcome is None else {}
    return {"judge": model, "judge_task": prompt.task.name, "judgments": [judgment], **score}


def _judged_fields(judged: Judged | None) -> dict[str, Any]:
    """What rewards depend on of a judge's verdict."""
    if judged is None:
        return {}
    if judged.is_reference is not None:
        return {"is_reference": judged.is_reference, "win": judged.win}
    if judged.difference:
        return {"difference": list(judged.difference)}
    return {"judge": judged.score, **({"judge_references": list(judged.references)} if judged.references else {})}


def _number(value: Any) -> float | None:
    return float(value) if np.isfinite(value) else None


class SavedFacts(NamedTuple):
    """What was measured of the responses that were sampled at once."""

    saved: SavedRollout
    facts: Facts
    correct: float | None
    """The share of correct responses as the run reports it; None if none was graded."""


def read_facts(paths: Sequence[str], plan: RewardPlan) -> list[SavedFacts]:
    """What was sampled at once for a rollout, and its facts for `plan`; raises Fatal(2) for a row that is none of one.

    A reward compares the responses of a whole group, so groups of another size than most of their rollout are refused,
    and those that the files of two runs, or one file given twice, would make. Raises Fatal(7) if there is no row.
    """
    rollouts: dict[SavedRollout, dict[int, list[Mapping[str, Any]]]] = {}
    with closing(read_rows(InputFiles(paths))) as entries:
        for entry in entries:
            if isinstance(entry, BadLine):
                raise Fatal(Exit.USAGE, f"{entry.place}: {entry.error.reason}")
            made = entry.fields.get("rollout")
            if not isinstance(made, dict) or not _is_whole(made):
                cure = "--replay reads what --save-rollouts wrote"
                raise Fatal(Exit.USAGE, f'{entry.place}: no "rollout" with the grade of a response; {cure}')
            saved = SavedRollout(made["number"], made["attempt"], made["step"])
            made |= _answered(entry.fields) | {name: entry.fields.get(name) for name in ("id", "sample")}
            group = rollouts.setdefault(saved, {}).setdefault(made["position"], [])
            if group and made["id"] != group[0]["id"]:
                what = f"position {made['position']} of rollout {saved.number} is another problem before"
                raise Fatal(Exit.USAGE, f"{entry.place}: {what}; give the rollouts of one run")
            if made["sample"] is not None and any(made["sample"] == before["sample"] for before in group):
                what = (
                    f"sample {made['sample']} at position {made['position']} of rollout {saved.number} is given twice"
                )
                raise Fatal(Exit.USAGE, f"{entry.place}: {what}; give each file once, and the rollouts of one run")
            if not group:
                made["record"] = {name: value for name, value in entry.fields.items() if name != "rollout"}
            group.append(made)
    if not rollouts:
        raise Fatal(
            Exit.INCOMPLETE, f"{', '.join(paths)}: there are no rows; --replay reads what --save-rollouts wrote"
        )
    return [
        SavedFacts(saved, _facts(saved.number, groups, plan), _correct_share(groups.values()))
        for saved, groups in sorted(rollouts.items())
    ]


def _answered(fields: Mapping[str, Any]) -> dict[str, Any]:
    """The response of the policy in a row, and whether the row says which answer is right.

    A row that the policy judges has another one's "response"; the policy's is the text of its judgment.
    """
    if fields.get("task") not in JUDGING:
        return {"response": fields.get("response", ""), "has_golden": fields.get("reference") is not None}
    judgments = fields.get("judgments")
    own = judgments[0] if isinstance(judgments, list) and judgments and isinstance(judgments[0], dict) else {}
    return {"response": own.get("text", ""), "has_golden": True}


def _correct_share(groups: Iterable[Sequence[Mapping[str, Any]]]) -> float | None:
    graded = [
        made["correct"] is True
        for group in groups
        for made in group
        if made["null_by"] != "verifier" and (made["has_golden"] or made["correct"] is not None)
    ]
    return fmean(graded) if graded else None


_TYPES: Mapping[str, tuple[type, ...]] = {
    "number": (int,),
    "step": (int,),
    "attempt": (int,),
    "position": (int,),
    "correct": (bool, type(None)),
    "null_by": (str,),
    "format": (bool,),
    "n_tokens": (int,),
    "finish_reason": (str,),
    "text": (str,),
}
_NUMBER = (int, float, type(None))


_NULL_CAUSES = {cause.name.lower(): cause for cause in NullBy}


def _is_whole(made: Mapping[str, Any]) -> bool:
    fits = all(type(made.get(name, ...)) in types for name, types in _TYPES.items())
    leads = made.get("difference", [])
    judged = type(made.get("judge")) in _NUMBER and type(leads) is list and all(type(lead) in _NUMBER for lead in leads)
    references = made.get("judge_references", [])
    judged = judged and type(references) is list and all(type(score) in (int, float) for score in references)
    judged = judged and all(made.get(name) in (True, False, None) for name in ("is_reference", "win"))
    ids = made.get("token_ids")
    judged = judged and (ids is None or (type(ids) is list and len(ids) == made.get("n_tokens")))
    judged = judged and isinstance(made.get("facts", {}), dict)
    counts = all(made[name] >= 0 for name, types in _TYPES.items() if types == (int,)) if fits else False
    return counts and judged and made["null_by"] in _NULL_CAUSES


def _facts(number: int, groups: Mapping[int, Sequence[Mapping[str, Any]]], plan: RewardPlan) -> Facts:
    if len({len(group) for group in groups.values()}) != 1:
        odd = min(groups, key=lambda position: len(groups[position]))
        what = f"rollout {number}: the prompt at position {odd} has {len(groups[odd])} responses, others more"
        raise Fatal(Exit.USAGE, f"{what}; give whole rollouts")
    sizes = {len(made.get("difference", group)) for group in groups.values() for made in group}
    if sizes != {len(group) for group in groups.values()}:
        what = f"rollout {number}: a response is compared with another number of responses than its prompt has"
        raise Fatal(Exit.USAGE, f"{what}; give whole rollouts")
    records = [group[0]["record"] for group in groups.values()]
    ids = [str(group[0]["id"]) for group in groups.values()]
    facts = facts_of([[_measured(made) for made in group] for group in groups.values()], ids, records, plan)
    return {**facts, **_own_facts(number, list(groups.values()))}


def _own_facts(number: int, groups: Sequence[Sequence[Mapping[str, Any]]]) -> Facts:
    """The facts that somebody has written into "facts" of each row.

    Raises Fatal(2) for one that is no number, or that libra measures.
    """
    found: dict[str, Any] = {}
    for name in sorted({name for group in groups for made in group for name in made.get("facts", {})}):
        if name in MEASURED:
            what = f'rollout {number}: libra measures "{name}" itself, and "facts" of a row has it, too'
            raise Fatal(Exit.USAGE, f"{what}; give the fact of yours another name")
        values = [[made.get("facts", {}).get(name) for made in group] for group in groups]
        try:
            if is_ragged(name):
                found[key_of(name)] = [[np.array(one, np.float64).reshape(len(one)) for one in row] for row in values]
            elif key_of(name).endswith("_M"):
                found[key_of(name)] = np.array([row[0] for row in values], np.float64)
            else:
                found[key_of(name)] = np.array(values, np.float64)
        except (TypeError, ValueError):
            cure = "write a number or null into each row; of steps and of references a list of numbers"
            raise Fatal(
                Exit.USAGE, f'rollout {number}: "facts" of a row has no {name} that can be read; {cure}'
            ) from None
    return found


def _measured(made: Mapping[str, Any]) -> MeasuredResponse:
    return MeasuredResponse(
        made["correct"],
        _NULL_CAUSES[made["null_by"]],
        made["n_tokens"],
        made["finish_reason"],
        made["format"],
        made["text"],
        made["response"] is not None,
        any(name in made for name in ("judge", "difference", "is_reference")),
        made.get("judge"),
        tuple(made.get("difference", ())),
        made.get("is_reference"),
        made.get("win"),
        tuple(made.get("judge_references", ())),
        made.get("token_ids"),
    )
