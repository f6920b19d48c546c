"""A worker says that its server failed every request, and nothing of rows that a server refuses."""

from __future__ import annotations

import pytest

from libra_cli.engines.base import Completion, Pending, Request, RequestError
from libra_cli.exits import Exit, Fatal
from libra_cli.sampling.choose import ChosenModel
from libra_cli.sampling.worker import EngineWorker
from libra_cli.stream.jobs import Job, JobFeed
from libra_cli.stream.signals import StopRequest

BROKEN = RequestError("server_error", "http://s/v1: 500", attempts=5)
REFUSED = RequestError("refused", "the server refuses the request: too long")
ANSWER = Completion("4", "stop", 1)


class Scripted:
    def __init__(self, answers):
        self._answers = answers

    def describe(self):
        return {"engine": "scripted", "model": "m"}

    def generate(self, requests):
        for answer in self._answers:
            yield Pending(requests.take(0).request, requests), answer


def asked(answers):
    request = Request([{"role": "user", "content": "q"}], 0, "id", 0)
    worker = EngineWorker(ChosenModel("m", lambda *_: Scripted(answers)))
    list(worker(JobFeed(iter([Job(None, request)] * len(answers)), 8, StopRequest("s", 1.0))))
    return worker


@pytest.mark.parametrize("answers", [[BROKEN], [BROKEN] * 3])
def test_a_server_that_failed_every_request_is_broken(answers):
    with pytest.raises(Fatal, match="no request was answered: http://s/v1: 500") as ended:
        asked(answers).check_answered()
    assert ended.value.status is Exit.BACKEND


@pytest.mark.parametrize("answers", [[], [ANSWER], [REFUSED], [BROKEN, ANSWER], [BROKEN, REFUSED]])
def test_a_server_that_answered_anything_is_not(answers):
    asked(answers).check_answered()
