"""The files of a batch as engines: one writes requests instead of asking, the other reads answers from results."""

from __future__ import annotations

import json
import math
import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import closing, suppress
from itertools import groupby
from typing import Any

import orjson

from libra_cli.engines.base import Completion, Deferred, Pending, Rendered, Request, RequestError, Requests
from libra_cli.engines.openai.batch import (
    MOST_BYTES,
    MOST_REQUESTS,
    BatchFormat,
    as_result,
    has_answer,
    is_result,
    request_named,
    unreadable,
)
from libra_cli.exits import Exit, Fatal
from libra_cli.plural import counted
from libra_cli.stream.files import create_beside
from libra_cli.stream.line_source import InputFiles
from libra_cli.stream.reader import BadLine, read_rows
from libra_cli.stream.row_store import RowLocation, RowStore
from libra_cli.stream.rows import Row
from libra_cli.stream.sinks import is_plain_file, write_failed

_NO_RESULT = 'no result of a batch ("custom_id", "response"); name the output and error files of a batch'
_SPARE = 1.1
"""Shards are made by a hash of the id, so they are not quite alike."""


class BatchEngine:
    """What both have in common: a model that no server is asked for now."""

    def __init__(self, form: BatchFormat, note: Callable[[str], None]):
        self._form, self._note = form, note

    def describe(self) -> dict[str, Any]:
        return self._form.describe()

    def render(self, request: Request) -> Rendered:
        """The messages; only the server knows what its chat template makes of them."""
        return Rendered(None, None, request.messages)

    def close(self) -> None:
        """Holds nothing between two calls of `generate`."""


class BatchRequests(BatchEngine):
    """Writes the requests to the file `path`, which a server then takes as a batch; each is Deferred.

    The file is there when all is written. Raises Fatal(2) if it would hold more than a batch may; equal requests are
    written once.
    """

    def __init__(self, form: BatchFormat, path: str, note: Callable[[str], None]):
        super().__init__(form, note)
        self._path = path
        if not is_plain_file(path):
            raise Fatal(Exit.USAGE, f"--batch-out {path}: name a plain file")

    def generate(self, requests: Requests) -> Iterator[tuple[Pending, Completion | RequestError]]:
        try:
            descriptor, temporary = create_beside(self._path)
        except OSError as error:
            raise write_failed(self._path, error) from None
        try:
            with os.fdopen(descriptor, "wb") as file:
                ids: set[str] = set()
                count = size = 0
                while True:
                    pending = requests.take(None)
                    if pending is None:
                        if requests.ended:
                            break
                        continue
                    line = self._form.line(pending.request)
                    if line["custom_id"] not in ids:
                        ids.add(line["custom_id"])
                        data = orjson.dumps(line) + b"\n"
                        count, size = count + 1, size + len(data)
                        if count <= MOST_REQUESTS and size <= MOST_BYTES:
                            file.write(data)
                    yield pending, Deferred()
            if requests.stopping:
                return
            self._check_limits(count, size)
            os.replace(temporary, self._path)
        except OSError as error:
            raise write_failed(self._path, error, begun=True) from None
        finally:
            with suppress(OSError):
                os.unlink(temporary)
        megabytes = f"{size / 1e6:,.1f} MB"
        self._note(f"{self._path}: {count:,} requests, {megabytes}; the same command with --batch-in reads the results")

    def _check_limits(self, count: int, size: int) -> None:
        if count > MOST_REQUESTS or size > MOST_BYTES:
            shards = max(2, math.ceil(_SPARE * max(count / MOST_REQUESTS, size / MOST_BYTES)))
            held = f"{count:,} requests and {size / 1e6:,.0f} MB; a batch may have {MOST_REQUESTS:,} and 200 MB"
            cure = f"write {shards} files, with --shard 0/{shards} to {shards - 1}/{shards}"
            raise Fatal(Exit.USAGE, f"--batch-out {self._path}: {held}; {cure}")


class BatchResults(BatchEngine):
    """Answers from the results of a batch, in files `paths`, whatever their order; a success counts before an error.

    Of two successes for a request the first counts, and people are told of those that differ.
    A request without a result is answered with a RequestError (`no_result`), and so is one whose result cannot be read
    (`bad_response`). Raises Fatal(2) for a file that holds no result, and if no request has one.
    """

    def __init__(self, form: BatchFormat, paths: Sequence[str], note: Callable[[str], None]):
        super().__init__(form, note)
        self._paths = paths

    def generate(self, requests: Requests) -> Iterator[tuple[Pending, Completion | RequestError]]:
        asked = 0
        used: set[str] = set()
        with RowStore() as store:
            results = self._index(store)
            while True:
                pending = requests.take(None)
                if pending is not None:
                    asked += 1
                    custom_id = self._form.custom_id(pending.request)
                    result = results.get(custom_id)
                    if result is not None:
                        used.add(custom_id)
                    yield pending, self._answer(store, result, pending.request)
                elif requests.ended:
                    break
        if used and (others := len(results) - len(used)):
            self._note(f"results of the batch that answer none of these requests: {others:,}")
        if asked and not used:
            cure = "give the input, model and options that wrote the requests"
            raise Fatal(Exit.USAGE, f"--batch-in {self._paths[0]}: answers none of {asked:,} requests; {cure}")

    def _index(self, store: RowStore) -> dict[str, RowLocation | RequestError]:
        """Where the result of each request is, by its custom_id; an error if it cannot be read."""
        results: dict[str, RowLocation | RequestError] = {}
        answered: dict[str, int] = {}
        others: set[str] = set()
        with closing(read_rows(InputFiles(self._paths))) as entries:
            for _file, lines in groupby(entries, lambda entry: entry.file):
                for row in self._results_in(lines, results):
                    custom_id = row.fields["custom_id"]
                    if not has_answer(row.fields):
                        if custom_id not in answered:
                            results[custom_id] = store.keep(row)
                        continue
                    said = hash(json.dumps(row.fields["response"]["body"]))
                    if custom_id not in answered:
                        results[custom_id], answered[custom_id] = store.keep(row), said
                    elif said != answered[custom_id]:
                        others.add(custom_id)
        if others:
            what = f"{len(others):,} request{'s have' if len(others) > 1 else ' has'} another answer in a later line"
            self._note(f"results of the batch: {what} of the files; the first counts")
        return results

    def _results_in(
        self, lines: Iterable[Row | BadLine], results: dict[str, RowLocation | RequestError]
    ) -> Iterator[Row]:
        """The results in one file; a request whose result cannot be read gets its error in `results`.

        Raises Fatal(2) if the file holds no result; else people are told of lines that are none.
        """
        found, strays = 0, []
        for line in lines:
            problem = f"{line.place}: {line.error if isinstance(line, BadLine) else _NO_RESULT}"
            if (row := _result(line)) is not None:
                found += 1
                yield row
            elif isinstance(line, BadLine) and (custom_id := request_named(line.raw)) is not None:
                found += 1
                results.setdefault(custom_id, unreadable(problem))
            else:
                strays.append(problem)
        if strays and not found:
            raise Fatal(Exit.USAGE, strays[0])
        if strays:
            more = f", and {counted(len(strays) - 1, 'more line')} of that file" if len(strays) > 1 else ""
            self._note(f"{strays[0]} (left out{more})")

    def _answer(
        self, store: RowStore, result: RowLocation | RequestError | None, request: Request
    ) -> Completion | RequestError:
        if isinstance(result, RequestError):
            return result
        if result is None:
            which = self._form.custom_id(request)
            cure = "name all of its files, or ask it again (--batch-out)"
            return RequestError("no_result", f"the batch has no result for this request ({which}); {cure}")
        fields = as_result(store.row(result).raw)
        assert fields is not None, "it was one when the file was read"
        return self._form.read(fields, request)


def _result(line: Row | BadLine) -> Row | None:
    """The result on a line, even where it is no strict JSON; None if it is none, or cannot be read."""
    if isinstance(line, Row):
        return line if is_result(line.fields) else None
    fields = None if line.error.kind == "too_many_values" else as_result(line.raw)
    return None if fields is None else Row(fields, line.raw, line.file, line.line)
