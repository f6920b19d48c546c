"""The files of a batch as engines: one writes requests instead of asking, the other reads answers from results."""

from __future__ import annotations

import math
import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, suppress
from typing import Any

import orjson

from libra_cli.engines.base import Completion, Deferred, Pending, Rendered, Request, RequestError, Requests
from libra_cli.engines.openai.batch import MOST_BYTES, MOST_REQUESTS, BatchFormat, has_answer, is_result
from libra_cli.exits import Exit, Fatal
from libra_cli.stream.files import create_beside
from libra_cli.stream.line_source import InputFiles
from libra_cli.stream.reader import BadLine, read_rows
from libra_cli.stream.row_store import RowLocation, RowStore
from libra_cli.stream.sinks import is_plain_file, write_failed

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
    A request without a result is answered with a RequestError (`no_result`). Raises Fatal(2) for a file that is none
    of results, and if no request has one.
    """

    def __init__(self, form: BatchFormat, paths: Sequence[str], note: Callable[[str], None]):
        super().__init__(form, note)
        self._paths = paths

    def generate(self, requests: Requests) -> Iterator[tuple[Pending, Completion | RequestError]]:
        asked = 0
        used: set[str] = set()
        with RowStore() as store:
            locations = self._index(store)
            while True:
                pending = requests.take(None)
                if pending is not None:
                    asked += 1
                    custom_id = self._form.custom_id(pending.request)
                    location = locations.get(custom_id)
                    if location is not None:
                        used.add(custom_id)
                    yield pending, self._answer(store, location, pending.request)
                elif requests.ended:
                    break
        if used and (others := len(locations) - len(used)):
            self._note(f"results of the batch that answer none of these requests: {others:,}")
        if asked and not used:
            cure = "give the input, model and options that wrote the requests"
            raise Fatal(Exit.USAGE, f"--batch-in {self._paths[0]}: answers none of {asked:,} requests; {cure}")

    def _index(self, store: RowStore) -> dict[str, RowLocation]:
        """Where the result of each request is, by its custom_id."""
        locations: dict[str, RowLocation] = {}
        answered: dict[str, int] = {}
        others: set[str] = set()
        with closing(read_rows(InputFiles(self._paths))) as entries:
            for entry in entries:
                if isinstance(entry, BadLine):
                    raise Fatal(Exit.USAGE, f"{entry.place}: {entry.error}")
                if not is_result(entry.fields):
                    cure = "name the output and error files of a batch"
                    raise Fatal(Exit.USAGE, f'{entry.place}: no result of a batch ("custom_id", "response"); {cure}')
                custom_id = entry.fields["custom_id"]
                if not has_answer(entry.fields):
                    if custom_id not in answered:
                        locations[custom_id] = store.keep(entry)
                    continue
                said = hash(orjson.dumps(entry.fields["response"]["body"]))
                if custom_id not in answered:
                    locations[custom_id], answered[custom_id] = store.keep(entry), said
                elif said != answered[custom_id]:
                    others.add(custom_id)
        if others:
            what = f"{len(others):,} request{'s have' if len(others) > 1 else ' has'} another answer in a later line"
            self._note(f"results of the batch: {what} of the files; the first counts")
        return locations

    def _answer(self, store: RowStore, location: RowLocation | None, request: Request) -> Completion | RequestError:
        if location is None:
            which = self._form.custom_id(request)
            cure = "name all of its files, or ask it again (--batch-out)"
            return RequestError("no_result", f"the batch has no result for this request ({which}); {cure}")
        return self._form.read(store.row(location).fields, request)
