"""Prompts to sample from: rows of verifiable tasks, read and checked once by rank 0, then seen by all ranks."""

from __future__ import annotations

import hashlib
import os
import random
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property, partial
from pathlib import Path
from typing import Any

import numpy as np
import orjson

from libra_cli.engines.base import Messages, Request, RequestError
from libra_cli.engines.chat_template import ChatTemplate
from libra_cli.exits import Exit, Fatal
from libra_cli.plural import counted
from libra_cli.records.forms import JudgeItem, form_of
from libra_cli.records.items import answered_item, item_of_row
from libra_cli.records.messages import asked_messages, template_fields
from libra_cli.records.own_names import QUESTION, REFERENCE, OwnNames
from libra_cli.sampling.asked_prompts import system_of
from libra_cli.sampling.judge_prompts import PAIR, check_reference, make_plan, slot_values
from libra_cli.sampling.judgments import in_own_order, order_fields
from libra_cli.stream import rows
from libra_cli.stream.common_names import asks_with_messages, empty_field
from libra_cli.stream.counts import Counts
from libra_cli.stream.error_log import ErrorLog
from libra_cli.stream.files import replace_file
from libra_cli.stream.required_fields import no_value
from libra_cli.stream.rows import Filtered, Row, RowError, content_hash
from libra_cli.stream.sinks import write_failed
from libra_cli.stream.wrong_rows import near_column, published
from libra_cli.tasks import TASKS, JudgeTask, Task, template
from libra_cli.tasks.best import golden_index
from libra_cli.tasks.confidence import asks_for_confidence
from libra_cli.tasks.grading import UNLABELLED, Grade, OwnOrder, agrees, grade, read_verdict
from libra_cli.tasks.rank import golden_sign
from libra_cli.tasks.reason import THINKING
from libra_cli.tasks.task import GeneratedText
from libra_cli.training.data import origin
from libra_cli.training.data.left_out import KEPT, RowLengths
from libra_cli.training.data.overlap import problem_key
from libra_cli.training.data.prepare import Preparation, Prepared, readable_rows, refuse_bad_rows

_ROWS, _INDEX, _ABOUT = "prompts.jsonl", "prompts.npy", "prompts.json"


@dataclass(frozen=True)
class VerifiablePrompt:
    """One row as a prompt whose answers can be graded."""

    id: str
    task: Task
    record: Mapping[str, Any]
    messages: Messages
    own_order: OwnOrder | None = None
    order: Mapping[str, Any] = field(default_factory=dict)
    """The fields of a judgment that say in which order responses are shown."""
    shown: Mapping[str, Any] = field(default_factory=dict)
    """What the row gives the chat template besides messages, as fields of a Request."""

    @property
    def has_golden(self) -> bool:
        """The record says which answer is right."""
        return isinstance(self.task, JudgeTask) or self.record.get("reference") is not None

    @property
    def key(self) -> str:
        """Identifies what is asked; rows about several responses to one problem share their id."""
        shown = [value for value in self.shown.values() if value]
        return content_hash([self.task.name, self.messages, *shown])

    def request(self, seed: int, sample: int) -> Request:
        """A request of one answer with its log-probabilities."""
        return Request(self.messages, seed, self.id, sample, logprobs=True, **self.shown)

    def grade(self, text: GeneratedText) -> Grade:
        """Grades an answer to this prompt; without a golden reference, says only what the answer is."""
        if not self.has_golden:
            verdict = read_verdict(self.task, text)
            return Grade(verdict.outcome, None, verdict.reason or UNLABELLED)
        return grade(self.task, text, self.record, self.own_order)


@dataclass(frozen=True)
class PromptReader:
    """Rows to prompts, the same on every rank."""

    task: str | None
    """The task of rows that name none; None: what their fields suggest."""
    templates: Mapping[str, str]
    """Texts that replace the built-in prompts, by task."""
    system: str | None
    seed: int
    """Seeds the order in which a pair or list is shown."""
    graded: bool = True
    """Rewards depend on grades: a row needs a golden reference."""
    check_item: Callable[[JudgeItem], None] | None = None
    """A judge scores the answers to problems, and this raises RowError for one that it cannot judge."""
    rules: bool = False
    """With a judge: rows of other tasks are rewarded by their label; else they are refused."""
    confidence: bool = False
    """Rewards read a stated confidence: a row is refused whose prompt asks for none."""

    def __call__(self, id: str, fields: Mapping[str, Any]) -> VerifiablePrompt:
        """The prompt of a row. Raises RowError if it has none, or no golden reference to grade by."""
        made = self._prompt(id, fields)
        if self.confidence and not asks_for_confidence(str(made.messages)):
            what = f"the rewards read a stated confidence, and the prompt of {made.task.name} asks for none"
            cure = f"give one that shows [[confidence=P]]: --template {made.task.name}=FILE"
            raise RowError("wrong_task", f"{what}; {cure}")
        return made

    def _prompt(self, id: str, fields: Mapping[str, Any]) -> VerifiablePrompt:
        name = fields.get("task") or self.task or _suggested(fields)
        task = TASKS.get(name) if isinstance(name, str) else None
        if task is None or name == "general":
            known = ", ".join(each for each in TASKS if each != "general")
            raise RowError("wrong_task", f"the task {name!r} cannot be graded; the tasks are {known}")
        prompt = self.templates.get(name)
        if self.check_item is not None:
            if isinstance(task, JudgeTask) and not self.rules:
                cure = "leave the row out, or say what it is with --task reason"
                raise RowError("wrong_task", f"a judge rewards answers to problems, and this is a {name} task; {cure}")
            if not isinstance(task, JudgeTask):
                self.check_item(answered_item(fields, response="A response."))
        try:
            if isinstance(task, JudgeTask):
                return self._judging(id, task, prompt, fields)
            if self.graded and (empty := empty_field(fields, "reference")) is not None:
                raise no_value(empty, "reference")
            if self.graded and fields.get("reference") is None:
                cure = published(fields) or f"add it{near_column(fields, 'reference')}"
                raise RowError("missing_field", f'no "reference", by which {name} is graded; {cure}')
            asked = asked_messages(fields, self.system) if prompt is None else None
            if asked is None:
                text = prompt or template.load(THINKING)
                asked = task.prompt(fields, text, system_of(fields, self.system, text))
            return VerifiablePrompt(id, task, fields, asked, shown=template_fields(fields))
        except KeyError as slot:
            cure = f"which the prompt asks for; add it, or use another template{near_column(fields, slot.args[0])}"
            raise RowError("missing_field", f'no "{slot.args[0]}", {cure}') from None

    def _judging(self, id: str, task: JudgeTask, prompt: str | None, fields: Mapping[str, Any]) -> VerifiablePrompt:
        if not _has_golden(task, fields):
            field = {"pair": "preference", "list": "best"}.get(task.shows, "label")
            if fields.get(field) is not None:
                value = repr(fields[field])[:60]
                raise RowError(
                    "wrong_form", f'"{field}" is {value}, by which {task.name} cannot be graded; {_GOLDEN[field]}'
                )
            cure = published(fields) or "add it"
            raise RowError("missing_field", f'no "{field}", by which {task.name} is graded; {cure}')
        item = item_of_row(fields)
        check_reference(item, prompt or template.load(task.template))
        chance = lambda vote: random.Random(rows.seed_for(self.seed, id, vote))  # noqa: E731
        plan = make_plan(item, task.shows, [None] * len(item.responses), 1, "random", chance)
        if task.shows == PAIR and len(plan.pairs) != 1:
            raise RowError("wrong_form", "several pairs in a row; write each in a row of its own")
        shown = plan.prompts[0]
        values = slot_values(plan, shown.order)
        messages = task.prompt(values, prompt, self.system)
        own_order = partial(in_own_order, plan, shown)
        return VerifiablePrompt(id, task, fields, messages, own_order, order_fields(plan, shown))


def _suggested(fields: Mapping[str, Any]) -> str:
    """The task of a row that names none."""
    if "responses" in fields:
        return "best"
    if "preference" in fields or "chosen" in fields or "response_b" in fields:
        return "rank"
    return "score" if "label" in fields and form_of(fields) is not None else "reason"


_GOLDEN = {
    "preference": "write A>>B, A>B, A, B, B>A or B>>A",
    "best": "write the position of the best response, from 0",
    "label": "write 1 or 0; of a reference answer: libra collect --map label=reference",
}
"""What says which verdict is right, by its field."""


def _has_golden(task: JudgeTask, fields: Mapping[str, Any]) -> bool:
    if task.shows == PAIR:
        return golden_sign(fields) is not None
    if task.shows == "list":
        return golden_index(fields) is not None
    return agrees(task, "correct" if task.scale is None else task.scale[1], fields) is not None


class PromptStore:
    """The prompts of a run, in a folder that `build` wrote."""

    def __init__(self, folder: Path, reader: PromptReader, max_tokens: int):
        self._reader, self._max_tokens = reader, max_tokens
        try:
            about = orjson.loads((folder / _ABOUT).read_bytes())
            index = np.load(folder / _INDEX, allow_pickle=False)
            self._rows = np.memmap(folder / _ROWS, np.uint8, "r")
        except (OSError, ValueError, EOFError) as error:
            raise Fatal(Exit.INCOMPLETE, f"{folder}: no finished set of prompts ({error}); run it again") from None
        self.digest: str = about["digest"]
        self.largest_id: int = about["largest_id"]
        self._starts = index[0]
        self.lengths: np.ndarray = index[1, :-1]
        """int64 [N]: tokens of each prompt."""

    def __len__(self) -> int:
        return len(self.lengths)

    @property
    def longest(self) -> int:
        """Tokens of the longest prompt with the longest response."""
        return int(self.lengths.max()) + self._max_tokens

    @cached_property
    def _sharing(self) -> dict[str, list[int]]:
        """The prompts of each id that several have."""
        found: dict[str, list[int]] = {}
        for index in range(len(self)):
            found.setdefault(self._row(index)["id"], []).append(index)
        return {id: indices for id, indices in found.items() if len(indices) > 1}

    def sharing_id(self, index: int, id: str) -> list[int]:
        """The prompts, itself among them, that have the `id` of prompt `index`."""
        return self._sharing.get(id, [index])

    @property
    def problems(self) -> np.ndarray:
        """uint64 [N]: the problem of each prompt, as `overlap.problem_key` has it."""
        return np.array([problem_key(self._row(index)["id"]) for index in range(len(self))], np.uint64)

    def summary(self) -> str:
        """Prompts and tokens, for people."""
        return f"{counted(len(self), 'prompt')}, {int(self.lengths.sum()):,} tokens"

    def prompt(self, index: int) -> VerifiablePrompt:
        """Prompt `index` of [0, N)."""
        row = self._row(index)
        return self._reader(row["id"], rows.parse(row["row"].encode()))

    def _row(self, index: int) -> dict[str, str]:
        row: dict[str, str] = orjson.loads(self._rows[self._starts[index] : self._starts[index + 1]].tobytes())
        return row


def prepare_prompts(preparation: Preparation, reader: PromptReader, chat: ChatTemplate, max_tokens: int) -> Prepared:
    """The prompts of the run's inputs, read anew if these changed; all ranks call it.

    A row that cannot be used ends the run before it begins, unless --errors names a file for such rows. Prompts that
    leave no room for a response of `max_tokens` within --max-length are left out and counted, or refused.
    """
    settings, world = preparation.settings, preparation.world
    folder = preparation.folder / "prompts"
    shaping = {
        "tokenizer": origin.of_tokenizer(chat.tokenizer),
        "chat": chat.template_sha256,
        "task": reader.task,
        "templates": dict(reader.templates),
        "system": reader.system,
        "seed": reader.seed,
        **({} if reader.graded else {"graded": False}),
        **({"judged": True} if reader.check_item else {}),
        **({"rules": True} if reader.rules else {}),
        **({"confidence": True} if reader.confidence else {}),
        "max_length": settings.max_length,
        "max_tokens": max_tokens,
        "too_long": settings.too_long,
    }
    made_from = {**origin.of_files(settings.inputs), "prompts": shaping}
    made_before = None if "-" in settings.inputs else origin.refused_before(str(folder), made_from, settings.errors)
    refused = world.broadcast(made_before)
    if refused is None:
        refused = world.on_rank0(lambda: _build(preparation, folder, made_from, reader, chat, max_tokens))
    store = world.on_all_ranks(lambda: PromptStore(folder, reader, max_tokens))
    world.on_all_ranks(lambda: _refuse_beyond(store, preparation.config, max_tokens, settings.too_long))
    return Prepared(store, refused)


def _refuse_beyond(store: PromptStore, config: Any, max_tokens: int, too_long: str) -> None:
    """Raises Fatal(2) if the longest prompt and response do not fit the model."""
    positions = getattr(config.get_text_config(), "max_position_embeddings", None)
    if positions and store.longest > positions:
        what = f"the longest prompt has {store.longest - max_tokens} tokens, which with --max-tokens {max_tokens}"
        cure = _cure_for_long(store.lengths, positions, max_tokens, too_long)
        raise Fatal(Exit.USAGE, f"{what} exceeds the model's {positions} positions; {cure}")


def _cure_for_long(lengths_N: np.ndarray, positions: int, max_tokens: int, too_long: str) -> str:
    """Which options make prompts of these lengths fit, with the responses, into the model's positions."""
    longest, shortest = int(lengths_N.max()), int(lengths_N.min())
    cures = [f"lower --max-tokens to {positions - longest} or less"] if longest < positions else []
    if shortest >= positions:
        return f"no prompt leaves room for a response (the shortest has {shortest} tokens); use a longer context"
    # Half of the context for the response, or as much as the shortest prompt leaves, if it does not fit as it is.
    room = max_tokens if shortest + max_tokens <= positions else min(positions // 2, positions - shortest)
    n_long = int((lengths_N + room > positions).sum())
    if n_long:
        lowered = f"--max-tokens {room} " if room != max_tokens else ""
        options = f"{lowered}--max-length {positions}{'' if too_long == 'drop' else ' --too-long drop'}"
        cures.append(f"leave {n_long:,} of {counted(len(lengths_N), 'prompt')} out with {options}")
    return ", or ".join(cures)


def _build(
    preparation: Preparation,
    folder: Path,
    made_from: Mapping[str, Any],
    reader: PromptReader,
    chat: ChatTemplate,
    max_tokens: int,
) -> int:
    """Writes the folder; returns the number of refused rows."""
    settings, counts, log = preparation.settings, Counts(), preparation.error_log()
    room, prompt_lengths = settings.max_length - max_tokens, RowLengths()
    preparation.phase.begin("reading the prompts", counts)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        origin.forget(str(folder))
        starts, lengths, largest, digest = [0], [], 0, hashlib.sha256()
        with open(folder / _ROWS, "wb") as out:
            for row, ids in _usable(preparation, reader, chat, room, prompt_lengths, counts, log):
                line = orjson.dumps({"id": row.id, "row": row.raw.decode()}) + b"\n"
                out.write(line)
                digest.update(line)
                starts.append(starts[-1] + len(line))
                lengths.append(len(ids))
                largest = max(largest, *ids)
            out.flush()
            os.fsync(out.fileno())
        np.save(folder / _INDEX, np.array([starts, [*lengths, 0]], np.int64))
    except OSError as error:
        raise write_failed(str(folder), error, begun=True) from None
    preparation.console.note(f"{', '.join(settings.inputs)}: {counts.summary()}")
    if settings.too_long == "drop" and (left_out := prompt_lengths.beyond(room)):
        what = f"--max-length {settings.max_length} with --max-tokens {max_tokens} leaves out {left_out.share()}"
        cure = f"--max-length {left_out.sufficient + max_tokens} would keep {KEPT} %"
        preparation.console.say(f"{', '.join(settings.inputs)}: {what}; {cure}", event="too_long", **left_out._asdict())
    refuse_bad_rows(settings.inputs, counts, settings, log)
    digest.update(content_hash(made_from["prompts"], 64).encode())
    about = {"digest": digest.hexdigest()[:32], "largest_id": largest}
    replace_file(str(folder / _ABOUT), orjson.dumps(about))
    origin.note(str(folder), made_from, counts.errors)
    return counts.errors


def _usable(
    preparation: Preparation,
    reader: PromptReader,
    chat: ChatTemplate,
    room: int,
    lengths: RowLengths,
    counts: Counts,
    log: ErrorLog,
) -> Iterator[tuple[Row, list[int]]]:
    """Rows with the tokens of their prompts, at most `room`; counts the others, and logs those that are refused.

    `lengths` takes the tokens of all prompts.
    """
    settings = preparation.settings
    seen: set[str] = set()
    with_names = OwnNames([QUESTION, REFERENCE], preparation.console.note)
    for row in readable_rows(settings.inputs, preparation.stop, counts, log):
        counts.read += 1
        if form_of(row.fields) is None and ("messages" not in row.fields or not asks_with_messages(row.fields)):
            row = with_names(row)
        try:
            ids = _encoded(row, reader, chat, seen)
            lengths.add(len(ids))
            if len(ids) > room:
                if settings.too_long == "drop":
                    raise Filtered("too_long")
                reason = f"the prompt has {len(ids)} tokens, and --max-length leaves {room} beside --max-tokens"
                raise RowError("too_long", f"{reason}; raise --max-length, or --too-long drop")
        except Filtered as why:
            counts.filtered[str(why)] += 1
        except RowError as error:
            counts.refuse(error.kind)
            log.add(error, row.raw, row.place, row.id)
        else:
            counts.out += 1
            yield row, ids


def _encoded(row: Row, reader: PromptReader, chat: ChatTemplate, seen: set[str]) -> list[int]:
    """The tokens of a row's prompt. Raises Filtered for a prompt that came before: its samples would be the same."""
    prompt = reader(row.id, row.fields)
    if prompt.key in seen:
        raise Filtered("duplicate")
    try:
        ids = chat.render(Request(prompt.messages, 0, row.id, 0, **prompt.shown)).token_ids
    except RequestError as error:
        raise RowError(error.kind, str(error)) from None
    seen.add(prompt.key)
    return ids
