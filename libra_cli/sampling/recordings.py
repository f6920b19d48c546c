"""Recordings: rows of an earlier rollout or judge run, from which the replay engine answers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import closing
from typing import Any

from libra_cli.engines.base import Completion, Request, RequestError
from libra_cli.exits import Exit, Fatal
from libra_cli.plural import counted
from libra_cli.records.row_types import check_types
from libra_cli.stream.line_source import InputFiles
from libra_cli.stream.reader import BadLine, read_rows
from libra_cli.stream.row_store import RowLocation, RowStore
from libra_cli.stream.rows import Fields, RowError, answered, content_hash, record_id, response_name

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


def judged_keys(name: str, fields: Mapping[str, Any]) -> tuple[str, str]:
    """Keys by which a recording knows a judged row: by its question and what was answered, with its name and without.

    Rows that share a name and not their texts are different rows.
    """
    texts = content_hash([fields.get("question"), *answered(fields)])
    return f"judged\0{name}\0{texts}", f"judged\0{texts}"


class Recording:
    """An index of recorded rows by record, model and sample. It holds where the rows are, not their texts."""

    def __init__(self, paths: Sequence[str]):
        self._store = RowStore()
        self._places: dict[str, RowLocation | None] = {}
        """Where a row is, by `_entry`; None if several rows of one key have different texts."""
        self.models: dict[str, None] = {}
        """The models that the rows name, in order of appearance."""
        self._repeated: list[tuple[str, RowLocation, str]] = []
        """Entries that a later row has as well: where that is, and what it shows."""
        self._unread: list[str] = []
        """What is wrong with lines that are no recorded row, each with its place."""
        for path in paths:
            self._scan(path)
        if self._unread and not self._places:
            raise Fatal(Exit.USAGE, f"{self._unread[0]}; a recording is what libra rollout wrote")
        self._compare_repeated()

    def find(self, request: Request, model: str) -> Completion:
        """The recorded completion of a request, by the record's id, else its other keys.

        A recording that names no model answers for any. Raises RequestError (`not_recorded`).
        """
        keys = (f"id\0{request.record_id}", *request.record_keys)
        samples: list[int | str] = [request.sample, request.shows] if request.shows else [request.sample]
        entries = [_entry(key, name, sample) for key in keys for name in (model, "") for sample in samples]
        place = next(filter(None, map(self._places.get, entries)), None)
        if place is None:
            which = f"sample {request.sample} of {model}"
            missing = f"the recording has no {which} for this row{self._unread_lines()}"
            message = f"{missing}; record it, or leave the row out"
            if any(entry in self._places for entry in entries):
                message = f"the recording has more than one {which} for this row; give each row an id of its own"
            raise RequestError("not_recorded", message)
        fields = self._generated(place, request.shows)
        text, calls = _text(fields), fields.get("tool_calls") or ()
        if text is None:
            cause = "the recorded row has no text: it was refused, or written with --no-texts"
            raise RequestError("not_recorded", cause)
        reason = str(fields.get("finish_reason") or "stop")
        return Completion(text, reason, fields.get("n_tokens"), tool_calls=calls)

    def _generated(self, place: RowLocation, shows: str) -> Fields:
        """The recorded row at `place`; of a judged one, the judgment whose prompt was `shows`."""
        fields = self._store.row(place).fields
        if not isinstance(fields.get("judgments"), list):
            return fields
        judgment = next(one for one in fields["judgments"] if judgment_key(one) == shows)
        return {name: judgment.get(name) for name in ("text", "text_with_cot", "finish_reason", "n_tokens")}

    def _unread_lines(self) -> str:
        """What may be why a row is not recorded: a line that cannot be read does not say which row it is of."""
        if not self._unread:
            return ""
        return f"; {counted(len(self._unread), 'line')} of it cannot be read, mend that first ({self._unread[0]})"

    def _scan(self, path: str) -> None:
        last_sample: dict[str, int] = {}  # rows without `sample` are numbered as they come
        with closing(read_rows(InputFiles([path]))) as entries:
            for entry in entries:
                try:
                    if isinstance(entry, BadLine):
                        raise entry.error
                    check_types(entry.fields)
                except RowError as error:
                    self._unread.append(f"{entry.place}: {error}")
                    continue
                place = self._store.keep(entry)
                if isinstance(entry.fields.get("judgments"), list):
                    self._add_judged(entry.fields, place)
                else:
                    self._add(entry.fields, place, last_sample)

    def _add(self, fields: Fields, place: RowLocation, last_sample: dict[str, int]) -> None:
        model = str(fields.get("model", ""))
        self.models[model] = None
        keys = (f"id\0{record_id(fields)}", *record_keys(fields))
        sample = fields.get("sample")
        if sample is None:
            counted = f"{keys[0]}\0{model}"
            sample = last_sample[counted] = last_sample.get(counted, -1) + 1
        for key in keys:
            self._index(_entry(key, model, sample), place)

    def _add_judged(self, fields: Fields, place: RowLocation) -> None:
        """Adds the judgments of a row that libra judge wrote; its judge is their model."""
        judge = str(fields.get("judge", ""))
        self.models[judge] = None
        name = "/".join([response_name(fields), *([str(fields["probe"])] if "probe" in fields else [])])
        for judgment in fields["judgments"]:
            if isinstance(judgment, dict) and "vote" in judgment:  # a judge's own, not of the gate
                shows = judgment_key(judgment)
                for key in judged_keys(name, fields):
                    self._index(_entry(key, judge, shows), place, shows)

    def _index(self, entry: str, place: RowLocation, shows: str = "") -> None:
        if self._places.setdefault(entry, place) != place:
            self._repeated.append((entry, place, shows))

    def _compare_repeated(self) -> None:
        """Keeps the first of the rows that share an entry and a text; an entry with several texts is ambiguous."""
        for entry, place, shows in self._repeated:
            first = self._places[entry]
            text = None if first is None else _text(self._generated(place, shows))
            if first is None or text is None:
                continue
            said = _text(self._generated(first, shows))
            if said != text:
                self._places[entry] = place if said is None else None
        self._repeated.clear()


def _text(generated: Fields) -> str | None:
    """The text of a recorded row or judgment, thinking included; None if it has neither that nor calls of tools."""
    texts = [generated.get(name) for name in _TEXT_FIELDS]
    text = next(filter(None, texts), "" if "" in texts or generated.get("tool_calls") else None)
    return text if isinstance(text, str) else None


def _entry(key: str, model: str, sample: int | str) -> str:
    """The key of the index; a judge's requests have a judgment_key for a sample."""
    return content_hash([key, model, sample])
