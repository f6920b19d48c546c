"""Recordings: rows of an earlier rollout or judge run, from which the replay engine answers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, BinaryIO

from libra_cli.engines.base import Completion, Request, RequestError
from libra_cli.exits import Exit, Fatal
from libra_cli.records.row_types import check_types
from libra_cli.stream.decompression import COMPRESSED
from libra_cli.stream.rows import Fields, RowError, content_hash, parse, record_id, response_name

_TEXT_FIELDS = ("response_with_cot", "response", "text_with_cot", "text")
"""Fields that hold the text of a recorded row or judgment, in order of preference."""


def judgment_key(judgment: Mapping[str, Any]) -> str:
    """Identifies a prompt among those about one row: by the vote, and the responses and their order that it shows."""
    return content_hash([judgment.get(name) for name in ("vote", "response", "pair", "order")])


def record_keys(fields: Fields) -> tuple[str, ...]:
    """Keys other than its id by which a recording may know a record: its question, and its index in its subset."""
    keys = []
    if isinstance(fields.get("question"), str):
        keys.append(f"question\0{fields['question']}")
    if fields.get("index") is not None:
        keys.append(f"index\0{fields.get('subset')}\0{fields['index']}")
    return tuple(keys)


class Recording:
    """An index of recorded rows by record, model and sample. It holds the rows' offsets, not their texts."""

    def __init__(self, paths: Sequence[str]):
        self._files = [_open(path) for path in paths]
        self._offsets: dict[str, tuple[int, int]] = {}
        """Number of the file and offset in it, by `_entry`."""
        self.models: dict[str, None] = {}
        """The models that the rows name, in order of appearance."""
        for number, (path, file) in enumerate(zip(paths, self._files, strict=True)):
            self._scan(number, path, file)

    def find(self, request: Request, model: str) -> Completion:
        """The recorded completion of a request, by the record's id, else its other keys.

        A recording that names no model answers for any. Raises RequestError (`not_recorded`).
        """
        keys = (f"id\0{request.record_id}", *request.record_keys)
        samples: list[int | str] = [request.sample, request.shows] if request.shows else [request.sample]
        entries = (_entry(key, name, sample) for key in keys for name in (model, "") for sample in samples)
        offset = next((self._offsets[entry] for entry in entries if entry in self._offsets), None)
        if offset is None:
            which = f"sample {request.sample} of {model}"
            message = f"the recording has no {which} for this row; record it, or leave the row out"
            raise RequestError("not_recorded", message)
        file = self._files[offset[0]]
        file.seek(offset[1])
        fields = parse(file.readline().rstrip(b"\r\n"))
        if isinstance(fields.get("judgments"), list):
            fields = next(one for one in fields["judgments"] if judgment_key(one) == request.shows)
            fields = {name: fields.get(name) for name in ("text", "text_with_cot", "finish_reason", "n_tokens")}
        text = next((fields[name] for name in _TEXT_FIELDS if fields.get(name)), None)
        calls = fields.get("tool_calls") or ()
        if text is None and (calls or any(fields.get(name) == "" for name in _TEXT_FIELDS)):
            text = ""
        if not isinstance(text, str):
            cause = "the recorded row has no text: it was refused, or written with --no-texts"
            raise RequestError("not_recorded", cause)
        reason = str(fields.get("finish_reason") or "stop")
        return Completion(text, reason, fields.get("n_tokens"), tool_calls=calls)

    def _scan(self, number: int, path: str, file: BinaryIO) -> None:
        last_sample: dict[str, int] = {}  # rows without `sample` are numbered as they come
        offset = 0
        for line, raw in enumerate(file, 1):
            try:
                fields = parse(raw.rstrip(b"\r\n"))
                check_types(fields)
            except RowError as error:
                raise Fatal(Exit.USAGE, f"{path}:{line}: {error}; a recording is what libra rollout wrote") from None
            if isinstance(fields.get("judgments"), list):
                self._add_judged(fields, (number, offset))
            else:
                self._add(fields, (number, offset), last_sample)
            offset += len(raw)

    def _add(self, fields: Fields, offset: tuple[int, int], last_sample: dict[str, int]) -> None:
        model = str(fields.get("model", ""))
        self.models[model] = None
        keys = (f"id\0{record_id(fields)}", *record_keys(fields))
        sample = fields.get("sample")
        if sample is None:
            counted = f"{keys[0]}\0{model}"
            sample = last_sample[counted] = last_sample.get(counted, -1) + 1
        for key in keys:
            self._offsets.setdefault(_entry(key, model, sample), offset)

    def _add_judged(self, fields: Fields, offset: tuple[int, int]) -> None:
        """Adds the judgments of a row that libra judge wrote; its judge is their model."""
        judge = str(fields.get("judge", ""))
        self.models[judge] = None
        name = "/".join([response_name(fields), *([str(fields["probe"])] if "probe" in fields else [])])
        for judgment in fields["judgments"]:
            if isinstance(judgment, dict) and "vote" in judgment:  # a judge's own, not of the gate
                self._offsets.setdefault(_entry(f"id\0{name}", judge, judgment_key(judgment)), offset)


def _open(path: str) -> BinaryIO:
    if path.endswith(COMPRESSED):
        cause = "is compressed; answers are looked up by place, so decompress it first"
        raise Fatal(Exit.USAGE, f"--replay {path}: {cause}")
    try:
        return open(path, "rb")
    except OSError as error:
        raise Fatal(Exit.USAGE, f"--replay {path}: cannot be read ({error.strerror}); check the name") from None


def _entry(key: str, model: str, sample: int | str) -> str:
    """The key of the index; a judge's requests have a judgment_key for a sample."""
    return content_hash([key, model, sample])
