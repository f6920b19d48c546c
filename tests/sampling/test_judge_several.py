"""Jobs of several requests on engines that answer one at a time, in any order."""

from __future__ import annotations

import random
from types import SimpleNamespace

from engine_jobs import ListFeed

from libra_cli.sampling.bundles import Several
from libra_cli.stream.jobs import Job
from libra_cli.stream.rows import Row


def jobs(sizes):
    """A job for each size, whose requests are (job, number)."""
    row = Row({"id": "r"}, b"{}", "test", 1)
    bundles = (SimpleNamespace(name=f"n{n}", requests=[(n, i) for i in range(size)]) for n, size in enumerate(sizes))
    return [Job(row, bundle, number=number) for number, bundle in enumerate(bundles)]


class Scrambled:
    """An engine that holds a few requests and answers them in random order."""

    def __init__(self, hold=5):
        self.hold, self.names, self.most = hold, [], 0

    def __call__(self, feed):
        chance, held = random.Random(0), []
        while not feed.ended or held:
            while len(held) < self.hold and (job := feed.take(0 if held else None)) is not None:
                held.append(job)
                self.names.append(job.row.fields["id"])
            self.most = max(self.most, len(held))
            if held:
                job = held.pop(chance.randrange(len(held)))
                yield job, f"answer {job.work}"
            yield None


def test_each_job_gets_the_answers_to_its_own_requests_in_their_order():
    sizes = [3, 1, 8, 2, 5] * 20
    engine = Scrambled()
    answered = [pair for pair in Several(engine)(ListFeed(jobs(sizes))) if pair is not None]
    assert sorted(job.number for job, _ in answered) == list(range(100))
    for job, answers in answered:
        assert answers == [f"answer {request}" for request in job.work.requests]
    assert engine.names.count("n2") == 8, "by its name a recording knows the row"
    assert engine.most == 5


def test_no_more_jobs_are_begun_than_the_engine_has_room_for():
    feed = ListFeed(jobs([4] * 50))
    next(Several(Scrambled(hold=6))(feed))
    assert feed.out == 2, "two jobs of four requests fill an engine of six"


def test_a_run_that_stops_hands_no_further_request_on():
    feed = ListFeed(jobs([10] * 3))
    engine = Scrambled(hold=2)
    answered = []
    for n, pair in enumerate(Several(engine)(feed)):
        answered.append(pair)
        if n == 3:
            feed.stopping = True
    assert engine.names.count("n0") < 10
    assert not [pair for pair in answered if pair is not None], "a row of which votes are missing is not written"


def test_the_feed_sees_that_a_long_job_moves():
    feed = ListFeed(jobs([7, 7]))
    feed.parts = 0
    list(Several(Scrambled())(feed))
    assert feed.parts == 14
