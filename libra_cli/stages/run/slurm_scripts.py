"""The sbatch scripts of a pipeline: one for each step, and one more that joins its shards."""

from __future__ import annotations

import json
import os
import shlex
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace

from libra_cli.masking import masked
from libra_cli.stages.run.pipe_file import PipeFile
from libra_cli.stages.run.slurm_settings import JobSettings
from libra_cli.stages.run.step import Step
from libra_cli.stream.files import replace_file

FOLDER = "slurm"
_OF_A_STEP = r"""
# Called inside another job, sbatch hands down that job's variables: a batch script is no step.
[ -z "${SLURM_STEP_ID:-}" ] || unset ${!SLURM_STEP*} ${!SLURM_CPU_BIND*} ${!SLURM_MEM_BIND*}
"""
"""Forgets what a step in which sbatch was called has handed down."""
_OF_A_JOB = r"""
# It has only those others for which the record of its own job has the field.
record=$(scontrol show job --oneliner "$SLURM_JOB_ID" | grep "^JobId=$SLURM_JOB_ID ")
while read -r field variables; do
    [ -z "$record" ] || [[ $record = *" $field"[=\ ]* ]] || unset $variables
done <<END
NumTasks=${SLURM_NTASKS:-} SLURM_NTASKS SLURM_NPROCS
CPUs/Task=${SLURM_CPUS_PER_TASK:-} SLURM_CPUS_PER_TASK
MinMemoryNode SLURM_MEM_PER_NODE
MinMemoryCPU SLURM_MEM_PER_CPU
MemPerTres SLURM_MEM_PER_GPU
CpusPerTres SLURM_CPUS_PER_GPU
TresPerJob SLURM_GPUS
TresPerNode SLURM_GPUS_PER_NODE
TresPerTask SLURM_GPUS_PER_TASK SLURM_TRES_PER_TASK
END
[ "${SLURM_CPUS_PER_TASK:-}" = 1 ] && unset SLURM_CPUS_PER_TASK    # 1 is also the record's word for none
"""
"""Forgets what a job in which sbatch was called has handed down, so that srun starts what this job asks for."""


@dataclass(frozen=True)
class SlurmJob:
    """A job of a pipeline: a step, or the join of its shards."""

    name: str
    step: Step
    settings: JobSettings
    script: str
    """The path of its script."""
    comment: str
    """By which its job is known in the queue."""
    needs: tuple[str, ...] = ()
    """The names of the jobs that come before."""
    joins: bool = False
    """Whether it joins the shards of the step."""

    @property
    def is_array(self) -> bool:
        """Whether it has a task for each shard."""
        return self.settings.shards > 1 and not self.joins


def jobs_of(folder: str, step: Step, settings: JobSettings) -> list[SlurmJob]:
    """The jobs of a step, the last of which makes its output; `needs` are still to come, but for that of the join."""
    path = os.path.join(folder, FOLDER, step.name)

    def comment(name: str) -> str:
        return f"libra run {os.path.abspath(folder)} {name}"

    made = SlurmJob(step.name, step, settings, f"{path}.sbatch", comment(step.name))
    if settings.shards == 1:
        return [made]
    kept = {name: value for name, value in settings.options.items() if not name.startswith(("--gpus", "--cpus"))}
    name = f"{step.name}.join"
    small = replace(settings, options=kept)
    return [made, SlurmJob(name, step, small, f"{path}.join.sbatch", comment(name), (step.name,), joins=True)]


def shard_of(folder: str, step: Step, index: int | str, count: int) -> Step:
    """The step that makes one shard of `step`."""
    name = f"{step.name}.{index}-of-{count}"
    output = os.path.join(folder, FOLDER, f"{name}.jsonl")
    words = [*_options(step), "--shard", f"auto/{count}", "-o", output]
    if "--errors" in step.writes:
        words += ["--errors", errors_of(output)]
    return replace(step, name=name, output=output, words=[*words, *step.inputs])


def errors_of(shard: str) -> str:
    """The file of the rows that a shard refuses."""
    return shard.removesuffix(".jsonl") + ".errors.jsonl"


def _options(step: Step) -> list[str]:
    """The command line of a step without the files that it reads and writes."""
    words = step.words[: -2 - len(step.inputs)]
    if "--errors" in words:
        at = words.index("--errors")
        words = words[:at] + words[at + 2 :]
    return words


def write_scripts(pipe: PipeFile, jobs: Sequence[SlurmJob], force: bool) -> None:
    """Writes the scripts of `jobs`, and of each step what its job has to know; raises Fatal(74)."""
    commands = [shlex.join(job.step.words) for job in jobs]
    if any(masked(command) != command for command in commands):  # they hold passwords: nobody else may read them
        os.chmod(os.path.join(pipe.output, FOLDER), 0o700)
    for job in jobs:
        replace_file(job.script, script_text(pipe, job).encode("utf-8", "surrogateescape"))
        if not job.joins:
            shards = job.settings.shards
            known = {
                "folder": pipe.output,
                "force": force,
                "shards": shards,
                "step": asdict(replace(job.step, settings={})),
            }
            replace_file(_step_file(job), json.dumps(known, indent=1).encode() + b"\n")


def _step_file(job: SlurmJob) -> str:
    return os.path.join(os.path.dirname(job.script), f"{job.step.name}.json")


def export_of(job: SlurmJob) -> str:
    """The option by which sbatch hands the environment on; on its command line it beats SBATCH_EXPORT."""
    return next((one for one in job.settings.more if _names_export([one])), "--export=ALL")


def _names_export(options: Sequence[str]) -> bool:
    return any(one.split("=")[0].split()[0] == "--export" for one in options if one.strip())


def script_text(pipe: PipeFile, job: SlurmJob) -> str:
    """The script of a job: what it asks of Slurm, variables, and the command of its step."""
    activate = shlex.quote(job.settings.activate)
    if job.settings.activate.startswith("~/"):
        activate = f"~/{shlex.quote(job.settings.activate[2:])}"
    elif job.settings.activate and "/" not in job.settings.activate:
        activate = f"./{activate}"  # or the shell would look for it on PATH
    settings, log = job.settings, os.path.join(pipe.output, "logs", job.step.name)
    signal = f"USR1@{settings.signal}" if settings.nodes > 1 else f"B:USR1@{settings.signal}"
    asked = [f"{name}={value}" for name, value in settings.options.items()]
    if settings.nodes > 1:
        asked.append("--ntasks-per-node=1")
    if job.is_array:
        at_once = "" if settings.at_once is None else f"%{settings.at_once}"
        asked.append(f"--array=0-{settings.shards - 1}{at_once}")
    asked += [
        *settings.more,
        *([] if _names_export(settings.more) else ["--export=ALL"]),
        f"--job-name={job.name}",
        f"--chdir={_quoted(os.getcwd())}",
        f"--output={_quoted(os.path.abspath(log).replace('%', '%%') + ('.%a.log' if job.is_array else '.log'))}",
        "--open-mode=append",
        f"--signal={signal}",
        *([] if any(one.startswith("--no-r") for one in settings.more) else ["--requeue"]),  # or in short: --no-req
        "--kill-on-invalid-dep=yes",
        f"--comment={_quoted(job.comment)}",
    ]
    what = f"The step {job.step.name} of {pipe.path}"
    what = f"Joins the {settings.shards} shards of t{what[1:]}" if job.joins else what
    lines = [
        "#!/usr/bin/env bash",
        *(f"#SBATCH {option}" for option in asked),
        f"# {what}.",
        "# libra run --slurm has written this, and writes it anew: change the pipeline file, or give sbatch options.",
        f"activate={activate}    # a file to source before anything runs",
    ]
    if job.is_array:
        lines.append(f"shards={settings.shards}")
    if not job.joins:
        lines += [_OF_A_STEP.rstrip(), *([_OF_A_JOB.strip()] if settings.nodes > 1 else [])]
    cure = f"name a file to source in {pipe.path}, such as `slurm: {{activate: ~/venv/bin/activate}}`"
    missing = shlex.quote(f"libra is not on PATH in this job; {cure}")
    lines += [
        "",
        '[ -n "$activate" ] && . "$activate"',
        f"command -v libra > /dev/null || {{ echo {missing} >&2; exit 127; }}",
        "set -uo pipefail",
        *script_body(pipe, job),
        "",
    ]
    return "\n".join(lines)


def script_body(pipe: PipeFile, job: SlurmJob) -> list[str]:
    """The command of a job, how it is told to stop, and how it comes back."""
    step_file = shlex.quote(_step_file(job))
    if job.joins:
        return [f"exec libra run --job {step_file}"]
    lines, this, step = [], "$SLURM_JOB_ID", job.step
    command = shlex.join([*step.program, *step.arguments])
    if job.is_array:
        this = "${SLURM_ARRAY_JOB_ID}_$SLURM_ARRAY_TASK_ID"
        shard = os.path.join(pipe.output, FOLDER, f"{step.name}.")
        lines.append(f"shard={shlex.quote(shard)}$SLURM_ARRAY_TASK_ID-of-$shards")
        command = (
            shlex.join(["libra", *step.stage.split(), *_options(step)]) + ' --shard "auto/$shards" -o "$shard.jsonl"'
        )
        if "--errors" in step.writes:
            command += ' --errors "$shard.errors.jsonl"'
        command += "".join(f" {shlex.quote(name)}" for name in step.inputs)
    if job.settings.nodes > 1:
        lines.append("cores=${SLURM_CPUS_PER_TASK:-$SLURM_CPUS_ON_NODE}    # srun gives a task one core unless told")
        lines.append("export SLURM_EXPORT_ENV=ALL    # the ranks need what `activate` sets, whatever sbatch handed on")
        command = f'srun --cpus-per-task="$cores" --wait=300 {command}'
    if step.form == "model folder":
        lines.append("began=$(date +%s)")
    elif step.form == "rows":
        file = '"$shard.jsonl.part"' if job.is_array else shlex.quote(f"{step.output}.part")
        lines += [f"size() {{ stat -c %s {file} 2>/dev/null || echo 0; }}", "before=$(size)"]
    return [
        *lines,
        "",
        f"libra run --job {step_file} -- \\",
        f"    {command} &",
        "step=$!",
        "trap 'kill -USR1 $step' USR1",
        "trap 'kill -TERM $step' TERM",
        "until wait $step; status=$?; ! kill -0 $step 2>/dev/null; do :; done    # a trap ends `wait` before its time",
        "",
        *_comes_back(step, job.script, this),
        "exit $status",
    ]


def _comes_back(step: Step, script: str, job: str) -> list[str]:
    """When a job goes back into the queue: told to stop or, of a trainer, with a checkpoint since it began.

    One that is told to stop before its first step or row goes back twice in a row: else it might load for ever.
    """
    again = f'scontrol requeue "{job}"'
    if step.form not in ("model folder", "rows"):
        return [f"[ $status = 75 ] && {again}    # it was told to stop, and continues"]
    stalled, name = shlex.quote(script.removesuffix(".sbatch")), shlex.quote(step.output)
    first = "row" if step.form == "rows" else "step"
    why = f"told to stop three times in a row before a {first}, and not queued again: give it more time"
    count = f"stalled={stalled}.$SLURM_JOB_ID.stalled    # a line for each stop in a row with nothing saved before it"
    if step.form == "rows":
        return [
            "[ $status = 75 ] || exit $status    # else it was told to stop, and continues",
            count,
            'if [ "$(size)" -gt "$before" ]; then',
            '    rm -f "$stalled"',
            'elif date >> "$stalled" && [ "$(wc -l < "$stalled")" -ge 3 ]; then',
            '    rm -f "$stalled"',
            f'    echo {name}": {why}" >&2',
            "    exit $status",
            "fi",
            again,
        ]
    saved = shlex.quote(os.path.join(step.output, "checkpoints"))
    return [
        count,
        f'again=$(find {saved} -mindepth 1 -maxdepth 1 -newermt "@$began" 2>/dev/null)',
        'if [ -n "$again" ]; then',
        '    rm -f "$stalled"',
        "elif [ $status = 75 ]; then    # it was told to stop, and continues",
        "    again=yes",
        '    date >> "$stalled"',
        '    if [ "$(wc -l < "$stalled")" -ge 3 ]; then',
        "        again=",
        '        rm -f "$stalled"',
        f'        echo {name}": {why}" >&2',
        "    fi",
        "fi",
        "case $status in    # 6, 137: a rank, its node or a server was lost; what fails with nothing saved ends",
        f'    6 | 75 | 137) [ -n "$again" ] && {again} ;;',
        "esac",
    ]


def _quoted(text: str) -> str:
    """A value of an #SBATCH line, which sbatch splits at spaces."""
    return f'"{text}"' if any(char.isspace() for char in text) else text
