"""The replay engine: answers from a recorded file instead of a model, so that a pipe runs the same everywhere."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, BinaryIO

import libra_cli
from libra_cli.engines.base import Completion, Rendered, Request
from libra_cli.exits import Exit, Fatal
from libra_cli.stream.jobs import Feed, Job
from libra_cli.stream.rows import Fields, RowError, content_hash, parse, record_id, response_name

Answered = tuple[Job, Completion | RowError]
Where = tuple[int, int]
"""Number of the file and offset of the row in it."""


def shown_by(judgment: Mapping[str, Any]) -> str:
    """Names what a judgment is about within its row: the vote, and the responses and their order that were shown."""
    return content_hash([judgment.get(name) for name in ("vote", "response", "pair", "order")])


class Recording:
    """Rows of an earlier run: which model gave which answers. Holds where they stand, not their texts."""

    def __init__(self, paths: Sequence[str]):
        self._files = [_open(path) for path in paths]
        self._where: dict[str, Where] = {}
        self.models: dict[str, None] = {}
        for number, (path, file) in enumerate(zip(paths, self._files, strict=True)):
            self._scan(number, path, file)

    def find(self, fields: Fields, model: str, request: Request) -> Fields | None:
        """The recorded row for a problem, by its id, else by its question, else by its index; None where there is none.

        A recording that names no model answers for any. Of a judged row it is the judgment that was shown the same.
        """
        asked: list[int | str] = [request.sample, request.shows] if request.shows else [request.sample]
        places = (_place(key, name, one) for key in _keys(fields) for name in (model, "") for one in asked)
        where = next((self._where[place] for place in places if place in self._where), None)
        if where is None:
            return None
        file = self._files[where[0]]
        file.seek(where[1])
        found = parse(file.readline().rstrip(b"\r\n"))
        if not isinstance(found.get("judgments"), list):
            return found
        judgment = next(one for one in found["judgments"] if shown_by(one) == request.shows)
        return {name: judgment.get(name) for name in ("text", "text_with_cot", "finish_reason", "n_tokens")}

    def close(self) -> None:
        for file in self._files:
            file.close()

    def _scan(self, number: int, path: str, file: BinaryIO) -> None:
        seen: dict[str, int] = {}  # rows without `sample` are numbered as they come
        offset = 0
        for line, raw in enumerate(file, 1):
            try:
                fields = parse(raw.rstrip(b"\r\n"))
            except RowError as error:
                raise Fatal(Exit.USAGE, f"{path}:{line}: {error}; a recording is what libra rollout wrote") from None
            if isinstance(fields.get("judgments"), list):
                self._add_judged(fields, (number, offset))
            else:
                self._add(fields, (number, offset), seen)
            offset += len(raw)

    def _add(self, fields: Fields, where: Where, seen: dict[str, int]) -> None:
        model = str(fields.get("model", ""))
        self.models[model] = None
        keys = _keys(fields)
        sample = fields.get("sample")
        if sample is None:
            first = f"{keys[0]}\0{model}"
            sample = seen[first] = seen.get(first, -1) + 1
        for key in keys:
            self._where.setdefault(_place(key, model, sample), where)

    def _add_judged(self, fields: Fields, where: Where) -> None:
        """The votes of a row that libra judge wrote: its judge's requests about it, in their order."""
        judge = str(fields.get("judge", ""))
        self.models[judge] = None
        name = "/".join([response_name(fields), *([str(fields["probe"])] if "probe" in fields else [])])
        for judgment in fields["judgments"]:
            if isinstance(judgment, dict) and "vote" in judgment:  # not what the gate has decided
                self._where.setdefault(_place(f"id\0{name}", judge, shown_by(judgment)), where)


class ReplayEngine:
    """One model's recorded answers; a job without one is refused with the kind `not_recorded`."""

    def __init__(self, recording: Recording, model: str):
        self._recording, self._model = recording, model

    def describe(self) -> dict[str, Any]:
        return {
            "engine": "replay", "engine_version": libra_cli.__version__, "model": self._model, "revision": None,
            "template_sha256": None,
        }  # fmt: skip

    def render(self, request: Request) -> Rendered:
        return Rendered(None, None, request.messages)

    def close(self) -> None:
        """Nothing is held: the recording serves every model."""

    def generate(self, feed: Feed) -> Iterator[Answered]:
        while True:
            job = feed.take(None)
            if job is not None:
                yield job, self._answer(job)
            elif feed.ended:
                return

    def _answer(self, job: Job) -> Completion | RowError:
        found = self._recording.find(job.row.fields, self._model, job.work)
        if found is None:
            which = f"sample {job.work.sample} of {self._model}"
            return RowError(
                "not_recorded", f"the recording has no {which} for this row; record it, or leave the row out"
            )
        names = ("response_with_cot", "response", "text_with_cot", "text")
        text = next((found[name] for name in names if found.get(name)), None)
        if not isinstance(text, str):
            return RowError("not_recorded", "the recorded row has no text: it was refused, or written with --no-texts")
        return Completion(text, str(found.get("finish_reason") or "stop"), found.get("n_tokens"))


def _open(path: str) -> BinaryIO:
    if path.endswith((".gz", ".zst")):
        raise Fatal(
            Exit.USAGE, f"--replay {path}: is compressed; answers are looked up by place, so decompress it first"
        )
    try:
        return open(path, "rb")
    except OSError as error:
        raise Fatal(Exit.USAGE, f"--replay {path}: cannot be read ({error.strerror}); check the name") from None


def _keys(fields: Fields) -> list[str]:
    """Names of a row's problem, the surest first."""
    named = [f"id\0{record_id(fields)}"]
    if isinstance(fields.get("question"), str):
        named.append(f"question\0{fields['question']}")
    if fields.get("index") is not None:
        named.append(f"index\0{fields.get('subset')}\0{fields['index']}")
    return named


def _place(key: str, model: str, sample: int | str) -> str:
    return content_hash([key, model, sample])
