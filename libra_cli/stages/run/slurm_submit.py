"""Writes the sbatch scripts of a pipeline, and submits those whose steps are not done and not in the queue."""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import replace

from libra_cli.exits import Exit, Fatal
from libra_cli.stages.run.pipe_file import PipeError, PipeFile
from libra_cli.stages.run.progress import StepProgress
from libra_cli.stages.run.slurm_scripts import FOLDER, SlurmJob, export_of, jobs_of, shard_of
from libra_cli.stages.run.slurm_settings import JobSettings
from libra_cli.stages.run.step import Step
from libra_cli.stream.console import Console
from libra_cli.stream.options import ranges

_OF_CLIENT = {"SLURM_CONF", "SLURM_CLUSTERS", "SLURM_JWT", "SLURM_DEBUG_FLAGS", "SLURM_EXIT_ERROR", "SLURM_TIME_FORMAT"}
"""What says how Slurm's commands reach it, and how they speak."""


def slurm_jobs(
    pipe: PipeFile, steps: Sequence[Step], settings: Mapping[str, JobSettings], progress: StepProgress
) -> list[SlurmJob]:
    """The jobs of the steps that are not done, each after those that it needs; raises PipeError or Fatal(2).

    `settings` has what each step, by its name, asks of Slurm.
    """
    last: dict[str, str] = {}
    jobs: list[SlurmJob] = []
    to_do: list[Step] = []
    for step in steps:
        needs = tuple(last[name] for name in step.needs if name in last)
        if not needs and not progress.reason(step):
            continue
        if settings[step.name].shards > 1 and os.path.exists(f"{step.output}.part"):
            reason = f"{step.output}.part was begun without shards; finish it with shards: 1, or move it away"
            raise PipeError(pipe.place(step.line), reason)
        first, *joins = jobs_of(pipe.output, step, settings[step.name])
        jobs += [replace(first, needs=needs), *joins]
        last[step.name] = jobs[-1].name
        to_do.append(step)
    progress.refuse_edited(to_do)
    return jobs


def tasks_to_do(pipe: PipeFile, job: SlurmJob, progress: StepProgress) -> str | None:
    """The tasks of an array as --array has them; empty for all of them, None if all are done."""
    count = job.settings.shards
    left = [index for index in range(count) if progress.reason(shard_of(pipe.output, job.step, index, count))]
    if len(left) == count:
        return ""
    at_once = "" if job.settings.at_once is None else f"%{job.settings.at_once}"
    return ranges(left) + at_once if left else None


def done_steps(steps: Sequence[Step], jobs: Sequence[SlurmJob]) -> list[str]:
    """The names of the steps for which there is no job."""
    to_do = {job.step.name for job in jobs}
    return [step.name for step in steps if step.name not in to_do]


def submitting_lines(pipe: PipeFile, jobs: Sequence[SlurmJob], progress: StepProgress, done: Sequence[str]) -> str:
    """A shell script that submits the scripts of `jobs`, each after those that it needs; comments name what is done."""
    lines, variables = [*(["set -e"] if jobs else []), *(f"# {name} is done" for name in done)], dict[str, str]()
    for number, job in enumerate(jobs, 1):
        tasks = tasks_to_do(pipe, job, progress) if job.is_array else ""
        if tasks is None:
            lines.append(f"# {job.name} is done")
            continue
        after = "".join(f":${{{variables[name]}%%;*}}" for name in job.needs if name in variables)
        words = ["sbatch", "--parsable", export_of(job), *([f"--array={tasks}"] if tasks else [])]
        command = shlex.join(words) + (f" --dependency=afterok{after}" if after else "")
        variables[job.name] = f"job{number}"
        lines.append(f"job{number}=$({command} {shlex.quote(job.script)})  # {job.name}")
    return "\n".join([*lines, ""])


def submit(pipe: PipeFile, jobs: Sequence[SlurmJob], progress: StepProgress, console: Console) -> str:
    """Submits the scripts of `jobs`; a line `JOBID NAME` for each job that is in the queue now.

    Raises Fatal(6) if Slurm cannot be reached, and Fatal(2) if it refuses a job.
    """
    queue = queued_jobs()
    numbers: dict[str, str] = {}
    for job in jobs:
        if job.comment in queue:
            numbers[job.name], state = queue[job.comment]
            console.note(f"{job.name} is in the queue already, as job {numbers[job.name]} ({state})")
            continue
        tasks = tasks_to_do(pipe, job, progress) if job.is_array else ""
        if tasks is None:
            console.note(f"the shards of {job.name} are done already")
            continue
        after = "".join(f":{numbers[name]}" for name in job.needs if name in numbers)
        words = [*([f"--array={tasks}"] if tasks else []), *([f"--dependency=afterok{after}"] if after else [])]
        numbers[job.name] = submit_one(job, words)
        console.note(f"submitted {job.name} as job {numbers[job.name]}")
    return "".join(f"{number} {name}\n" for name, number in numbers.items())


def refuse_queued(pipe: PipeFile, steps: Sequence[Step], settings: Mapping[str, JobSettings]) -> None:
    """Raises Fatal(11) if one of `steps` is in the queue of Slurm: it would be done twice."""
    if not os.path.isdir(os.path.join(pipe.output, FOLDER)):
        return  # no script was ever written
    try:
        queue = queued_jobs()
    except Fatal:
        return  # there is no Slurm here, or none that answers
    for step in steps:
        for job in jobs_of(pipe.output, step, settings[step.name]):
            if job.comment in queue:
                number, state = queue[job.comment]
                cure = f"wait for it, or cancel it (scancel {number})"
                raise Fatal(Exit.LOCKED, f"{job.name} is in the queue, as job {number} ({state}); {cure}")


def queued_jobs() -> Mapping[str, tuple[str, str]]:
    """The user's jobs in the queue, by comment: number and state; raises Fatal(6) if Slurm cannot be reached."""
    cure = "submit where sbatch and squeue work, or leave out --submit"
    if shutil.which("squeue") is None or shutil.which("sbatch") is None:
        raise Fatal(Exit.BACKEND, f"--submit: there is no Slurm here (squeue, sbatch); {cure}")
    asked = ["squeue", "--noheader", "--me", "--format=%F %T %k"]
    done = subprocess.run(asked, capture_output=True, text=True, errors="replace", check=False)
    if done.returncode:
        raise Fatal(Exit.BACKEND, f"--submit: squeue failed ({_said(done)}); {cure}")
    jobs: dict[str, tuple[str, str]] = {}
    for line in done.stdout.splitlines():
        number, state, comment = [*line.strip().split(" ", 2), "", ""][:3]
        jobs.setdefault(comment, (number, state))
    return jobs


def job_environment(environment: Mapping[str, str]) -> dict[str, str]:
    """The environment for sbatch, which hands it to the job: without the variables of a job in which this runs.

    Of SBATCH_* Slurm itself sets only those of binding (output variables in sbatch(1)); others are the user's.
    """
    if "SLURM_JOB_ID" not in environment:
        return dict(environment)
    of_job = ("SLURM_", "SBATCH_CPU_BIND", "SBATCH_MEM_BIND")
    return {name: value for name, value in environment.items() if name in _OF_CLIENT or not name.startswith(of_job)}


def submit_one(job: SlurmJob, words: Sequence[str]) -> str:
    """Submits one job; its number."""
    command = ["sbatch", "--parsable", export_of(job), *words, job.script]
    own = job_environment(os.environ)
    done = subprocess.run(command, capture_output=True, text=True, errors="replace", check=False, env=own)
    number = done.stdout.strip().partition(";")[0]
    if done.returncode or not re.fullmatch(r"\d+", number):
        hint = "the same command submits the rest once that is mended"
        if job.is_array and "array" in done.stderr:
            hint = "an array has fewer tasks than MaxArraySize (scontrol show config); give the step fewer shards"
        raise Fatal(Exit.USAGE, f"{job.script}: sbatch refuses it ({_said(done)}); {hint}")
    return number


def _said(done: subprocess.CompletedProcess[str]) -> str:
    lines = [line.strip() for line in (done.stderr or done.stdout).splitlines() if line.strip()]
    return lines[-1].removeprefix("sbatch: error: ").removeprefix("squeue: error: ") if lines else "without a word"
