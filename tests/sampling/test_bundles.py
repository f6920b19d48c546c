"""Jobs of several requests on engines that answer one at a time, in any order."""

from __future__ import annotations

import random
from types import SimpleNamespace

from libra_cli.engines.base import RequestError
from libra_cli.sampling.bundles import BundleRequests
from libra_cli.sampling.choose import ChosenModel
from libra_cli.sampling.worker import EngineWorker
from libra_cli.stream.jobs import Job, JobFeed
from libra_cli.stream.rows import Row, RowError
from libra_cli.stream.signals import StopRequest


class Jobs(JobFeed):
    """A job for each size, whose requests are (job, number)."""

    def __init__(self, sizes):
        row = Row({"id": "r"}, b"{}", "test", 1)
        bundles = [SimpleNamespace(requests=[(n, i) for i in range(size)]) for n, size in enumerate(sizes)]
        self.stop = StopRequest("m", 1.0)
        super().__init__(iter([Job(row, bundle) for bundle in bundles]), 1 << 30, self.stop)

    @property
    def begun(self):
        return self.progress().at_work


class ScrambledEngine:
    """An engine that holds a few requests and answers them in random order."""

    def __init__(self, hold=5):
        self.hold, self.taken, self.most = hold, [], 0

    def generate(self, requests):
        rng, held = random.Random(0), []
        while not requests.ended or held:
            while len(held) < self.hold and (pending := requests.take(0 if held else None)) is not None:
                held.append(pending)
                self.taken.append(pending.request)
            self.most = max(self.most, len(held))
            if held:
                pending = held.pop(rng.randrange(len(held)))
                yield pending, f"answer {pending.request}"
            yield None


def answered(engine, feed):
    return EngineWorker(ChosenModel("m", lambda _doing: engine), BundleRequests)(feed)


def test_each_job_gets_the_answers_to_its_own_requests_in_their_order():
    engine = ScrambledEngine()
    pairs = [pair for pair in answered(engine, Jobs([3, 1, 8, 2, 5] * 20)) if pair is not None]
    assert sorted(job.number for job, _ in pairs) == list(range(100))
    for job, answers in pairs:
        assert answers == [f"answer {request}" for request in job.work.requests]
    assert engine.most == 5


def test_no_more_jobs_are_begun_than_the_engine_has_room_for():
    feed = Jobs([4] * 50)
    next(answered(ScrambledEngine(hold=6), feed))
    assert feed.begun == 2, "two jobs of four requests fill an engine of six"


def test_a_run_that_stops_hands_no_further_request_on():
    feed, engine, pairs = Jobs([10] * 3), ScrambledEngine(hold=2), []
    for n, pair in enumerate(answered(engine, feed)):
        pairs.append(pair)
        if n == 3:
            feed.stop.status = 75
    assert len(engine.taken) < 10
    assert not [pair for pair in pairs if pair is not None], "a row of which votes are missing is not written"


def test_the_feed_sees_that_a_long_job_moves():
    feed = Jobs([7, 7])
    list(answered(ScrambledEngine(), feed))
    assert feed.parts == 14


def test_an_error_of_a_request_becomes_that_of_its_row():
    class Failing:
        def generate(self, requests):
            while (pending := requests.take(None)) is not None:
                yield pending, RequestError("poison", "the engine broke", attempts=2)

    ((_, (error,)),) = answered(Failing(), Jobs([1]))
    assert isinstance(error, RowError)
    assert (error.kind, str(error), error.attempts) == ("poison", "the engine broke", 2)


def test_no_engine_is_made_for_no_job():
    worker = EngineWorker(ChosenModel("m", lambda _doing: 1 / 0), BundleRequests)
    assert list(worker(Jobs([]))) == []
    assert worker.described == {}
