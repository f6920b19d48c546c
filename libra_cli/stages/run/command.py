"""`libra run`: a pipeline from one file."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import click

from libra_cli.cli.command import plain
from libra_cli.cli.numbers import NumberType
from libra_cli.cli.stage_options import option

if TYPE_CHECKING:
    from libra_cli.stages.run.pipe_file import PipeFile
    from libra_cli.stages.run.progress import StepProgress
    from libra_cli.stages.run.slurm_settings import JobSettings
    from libra_cli.stages.run.step import Step
    from libra_cli.stream.console import Console

EXAMPLES = (
    "libra run examples/demo.yaml",
    "libra run --dry-run pipe.yaml                  # the commands that it stands for",
    "libra run --set model=Qwen/Qwen3-8B -o qwen3-8b pipe.yaml",
    "libra run --from judged pipe.yaml              # that step, and all that need it",
    "libra run --submit pipe.yaml                   # each step as a job of Slurm",
)


def _named_values(_ctx: click.Context, param: click.Parameter, given: tuple[str, ...]) -> list[tuple[str, str]]:
    pairs = []
    for text in given:
        name, sign, value = text.partition("=")
        if not sign or not name:
            raise click.BadParameter("write NAME=VALUE", param=param)
        pairs.append((name, value))
    return pairs


@plain("run", examples=EXAMPLES)
@click.argument("pipe", nargs=-1, metavar="FILE.yaml")
@option("-o", "--output", metavar="FOLDER", help="Folder for what the steps write. Default: as FILE says, or its name.")
@option(
    "--set",
    "settings",
    multiple=True,
    metavar="NAME=VALUE",
    callback=_named_values,
    help="Give a variable of FILE another value, as YAML: --set samples=8 --set 'models=[a, b]'. Repeatable.",
)
@option("--only", multiple=True, metavar="STEP", help="Run only this step. Repeatable.")
@option(
    "--from",
    "first",
    multiple=True,
    metavar="STEP",
    help="Run only this step and those that need what it makes. Repeatable.",
)
@option("--until", multiple=True, metavar="STEP", help="Run only this step and those that it needs. Repeatable.")
@option("--force", is_flag=True, help="Run the chosen steps although they are done.")
@option(
    "-j",
    "--jobs",
    type=NumberType(int, 1, 1024),
    default=1,
    metavar="N",
    help="Run up to N steps at a time that do not need each other; not on Slurm, which runs what is ready.",
)
@option("--dry-run", is_flag=True, help="Print the shell commands of the steps; run nothing.")
@option(
    "--slurm",
    is_flag=True,
    help="Run nothing: write a script for sbatch for each step that is not done, and print how to submit them.",
)
@option("--submit", is_flag=True, help="Write those scripts and submit them; a line JOBID STEP for each.")
@option("--job", metavar="STEP", hidden=True, help="In those scripts: run the command that follows, for this step.")
@option("-q", "--quiet", is_flag=True, help="Print only errors on stderr.")
@click.pass_context
def command(ctx: click.Context, pipe: tuple[str, ...], **options: Any) -> int:
    """Run the steps of a file: commands of libra that pass files on, each done once.

    FILE holds `steps`: under the name of each its `stage`, the options of that stage as in its --config file, and
    `inputs`, which name other steps or files. A step writes FOLDER/NAME.jsonl (a trainer the folder FOLDER/NAME, score
    and report FOLDER/NAME.txt) unless it has an `output`. ${NAME} in a value stands for a variable, or for what the
    step NAME writes. `foreach` makes a step for each value of a list. Instead of `stage` a step may have a `command`: a
    line for bash; what it prints is the output, unless it writes ${output} itself.

    A step is done if its output is complete and neither its command, its LIBRA_* variables nor what it reads has
    changed since; the same command again runs the rest. Ctrl-C, TERM and USR1 are passed on to the steps that run,
    which save their work. FOLDER/logs has what a step says and its times, standard output what score and report write.

    On Slurm, --submit makes each step a job, and shards of a step an array. What they ask for stands under `slurm` in
    FILE, for all steps and for one: partition, time, cpus, mem, gpus, nodes, shards, activate. The same command again
    submits what is not done.

    The exit status is 0, that of the step that failed, 3 if a step refused rows, or that of the signal.
    """
    from libra_cli.stages.run.execute import Runner, results
    from libra_cli.stages.run.pipe_file import read_pipe
    from libra_cli.stages.run.progress import StepProgress
    from libra_cli.stages.run.select import chosen, missing_inputs, missing_models
    from libra_cli.stages.run.shell import script
    from libra_cli.stages.run.slurm_settings import all_settings
    from libra_cli.stages.run.slurm_submit import refuse_queued
    from libra_cli.stages.run.steps import make_steps
    from libra_cli.stream.console import Console

    console = Console("run", quiet=options["quiet"])
    if options["job"]:
        from libra_cli.stages.run.slurm_job import run_job

        return run_job(options["job"], pipe, console)
    if len(pipe) != 1:
        raise click.UsageError(f"name {'one' if pipe else 'a'} pipeline file: libra run FILE.yaml")
    if options["output"] == "":
        raise click.UsageError("-o is empty: name a folder")
    assert ctx.parent is not None
    assert isinstance(ctx.parent.command, click.Group)
    read = read_pipe(pipe[0], options["settings"], options["output"], ctx.parent.command.list_commands(ctx.parent))
    every = make_steps(ctx, read)
    settings = all_settings(read, every)
    steps = chosen(read, every, options["only"], options["first"], options["until"])
    progress = StepProgress(read.output, options["force"])
    to_do = [step for step in steps if progress.reason(step)]
    if missing := [*missing_inputs(read, every, to_do), *missing_models(every, to_do)]:
        raise click.UsageError("\n".join(missing))
    progress.refuse_unmade(steps)
    if options["slurm"] or options["submit"]:
        click.echo(_on_slurm(read, steps, settings, progress, console, options), nl=False)
        return 0
    if options["dry_run"]:
        click.echo(script(read, steps, progress), nl=False)
        return 0
    refuse_queued(read, to_do, settings)
    status = Runner(progress, options["jobs"], console).run(steps)
    if status in (0, 3):
        click.echo(results(steps, progress), nl=False)
    return status


def _on_slurm(
    pipe: PipeFile,
    steps: Sequence[Step],
    settings: Mapping[str, JobSettings],
    progress: StepProgress,
    console: Console,
    options: dict[str, Any],
) -> str:
    """Writes the sbatch scripts, and submits them with --submit; what is to be printed."""
    from libra_cli.stages.run.slurm_scripts import FOLDER, write_scripts
    from libra_cli.stages.run.slurm_submit import done_steps, slurm_jobs, submit, submitting_lines

    flag = "--submit" if options["submit"] else "--slurm"
    if options["jobs"] > 1:
        cure = f"Slurm runs what is ready; leave out -j, or {flag}; shards at a time: at-once under slurm in the file"
        raise click.UsageError(f"-j {options['jobs']} is for steps that run here; {cure}")
    if options["submit"] and options["dry_run"]:
        raise click.UsageError("--dry-run submits nothing; leave out --submit")
    jobs = slurm_jobs(pipe, steps, settings, progress)
    done = done_steps(steps, jobs)
    if not jobs:
        console.note(f"all steps are done ({', '.join(done)}); there is nothing to submit (--force runs them again)")
    elif options["submit"]:
        for name in done:
            console.note(f"{name} is done already")
    if not options["dry_run"]:
        progress.make_folders(FOLDER)
        with progress.locked():
            write_scripts(pipe, jobs, options["force"])
            if options["submit"] and jobs:
                return submit(pipe, jobs, progress, console)
    return "" if options["submit"] else submitting_lines(pipe, jobs, progress, done)
