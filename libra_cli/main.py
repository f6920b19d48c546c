"""The `libra` command: loads a stage when it is called, and turns every way of ending into an exit status."""

from __future__ import annotations

import importlib
import os
import signal
import sys
from typing import Any, NoReturn

import click

from libra_cli import __version__
from libra_cli.exits import Exit, Fatal, ReaderGone
from libra_cli.stream.module_path import leave_out_current_folder
from libra_cli.stream.stdio import open_missing_descriptors

STAGES = {
    "collect": "Gather problems from files and hub data sets; rename fields, filter, remove duplicates.",
    "rollout": "Sample responses to problems from one or more models.",
    "verify": "Label responses as correct or incorrect against the reference answer.",
    "review": "Label by hand the responses that libra verify left undecided.",
    "balance": "Remove the thinking, and keep as many correct as incorrect responses per subset and model.",
    "judge": "Judge responses with one or more models: rate, compare, or check them against a reference.",
    "score": "Measure judges by the rows that they judged: accuracy, calibration, pass@k, with 95% intervals.",
    "score correlate": "Correlate the accuracy of judges with the accuracy of the policies that they trained.",
    "rs-filter": "Keep the correct samples (rejection sampling) as conversations to train on.",
    "dpo-pairs": "Make preference pairs of judged responses, for DPO and other preference learning.",
    "mix": "Mix data sets in stated proportions.",
    "sft": "Train a causal language model on conversations, from one CPU to many nodes.",
    "dpo": "Train a causal language model on preferences (DPO, KTO and their relatives).",
    "train-rm": "Train a reward model: a language model with a scalar head, on pairs or labels.",
    "grpo": "Train a model by reinforcement learning on verifiable rewards: as a judge, a reasoner, or both.",
    "merge": "Join the parts of a sharded run, after proving that nothing is missing.",
    "run": "Run the steps of a file: commands of libra that pass files on, each done once.",
    "report": "Show training runs side by side: their figures, and a page with their curves.",
    "show": "Show rows as text to read: question, reference, thinking (folded), response, label and judgments.",
    "trace": "Show what became of one record: which file has it, and what each stage made of it.",
    "models": "List the embedded models and those of servers: path, size, and the command that serves them.",
    "schema": "Print the JSON Schema of a kind of record; without a name, list the kinds.",
    "doctor": "Show versions, engines and devices, and what is missing.",
}
"""Every subcommand with its summary, in the order of a pipeline."""
OTHER_NAMES = {
    "train": "sft, dpo, train-rm or grpo",
    "reward": "train-rm",
    "rm": "train-rm",
    "rl": "grpo",
    "ppo": "grpo",
    "eval": "score",
    "evaluate": "score",
    "metrics": "score",
    "generate": "rollout",
    "sample": "rollout",
    "label": "verify",
    "check": "verify",
    "filter": "rs-filter",
    "pairs": "dpo-pairs",
    "convert": "collect",
    "load": "collect",
    "plot": "report",
    "join": "merge",
    "concat": "merge",
    "view": "show",
    "cat": "show",
    "list": "models",
    "serve": "models",
}
"""What people call a stage elsewhere -> the stages to choose from."""


class LazyGroup(click.Group):
    """Lists its subcommands by name and imports only the module of the one that is called."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(STAGES)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in STAGES:
            return None
        folder, _, rest = cmd_name.replace("-", "_").partition(" ")
        module = f"{rest}_command" if rest else "command"  # `score correlate` is in the folder of `score`
        return importlib.import_module(f"libra_cli.stages.{folder}.{module}").command

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        if not args and not ctx.resilient_parsing:  # without a stage, this is the help
            click.echo(ctx.get_help())
            ctx.exit()
        if args[:1] == ["help"]:  # libra help score
            args = [*args[1:], "--help"]
        try:
            return super().parse_args(ctx, args)
        except click.NoSuchOption as error:
            from libra_cli.cli.nearest import no_such_option

            raise no_such_option(error, self.get_params(ctx)) from None

    def resolve_command(self, ctx: click.Context, args: list[str]) -> Any:
        if " ".join(args[:2]) in STAGES:  # a stage of two words
            args = [" ".join(args[:2]), *args[2:]]
        if args and args[0] not in STAGES and not args[0].startswith("-"):
            from libra_cli.cli.nearest import nearest, suggestion

            close = dict.fromkeys(
                OTHER_NAMES.get(name, name) for name in nearest(args[0], [*STAGES, *OTHER_NAMES], 0.5)
            )
            if args[0] in OTHER_NAMES:
                close = {OTHER_NAMES[args[0]]: None}
            name = args[0] if args[0] and args[0].isprintable() else repr(args[0])
            ctx.fail(f"there is no stage {name}{suggestion(list(close))}")
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Stages"):
            formatter.write_dl(list(STAGES.items()))


WIDEST_HELP = 120
"""Columns of help on a wide terminal."""


@click.group(
    cls=LazyGroup,
    context_settings={
        "help_option_names": ["-h", "--help"],
        "auto_envvar_prefix": "LIBRA",
        "max_content_width": WIDEST_HELP,
    },
    epilog="Rows are JSON objects, one per line. Stages read files or standard input. `libra STAGE --help` says more, "
    "`libra STAGE --help-all` says all.",
)
@click.version_option(__version__, prog_name="libra", message="%(prog)s %(version)s")
def cli() -> None:
    """Build, train and measure reward models that think, in Unix-style stages."""


def run() -> NoReturn:
    """The console script: never returns, and shows no traceback unless --debug is given."""
    leave_out_current_folder()
    open_missing_descriptors()
    for number in (signal.SIGUSR1, signal.SIGUSR2):
        if signal.getsignal(number) is signal.SIG_DFL:  # before a run begins, and once it has ended
            signal.signal(number, _stop)
    os.environ.setdefault("TORCH_CPP_LOG_LEVEL", "ERROR")  # PyTorch reads it when imported; stderr belongs to the run
    try:
        with cli.make_context("libra", sys.argv[1:], terminal_width=_help_width()) as ctx:
            status = int(cli.invoke(ctx) or 0)
    except click.ClickException as error:
        context = getattr(error, "ctx", None)
        name = context.command_path if context is not None else "libra"
        message = error.format_message()
        hint = "" if "--help" in message else f" (see {name} --help)"
        _say((message if message[1:2].isupper() else message[:1].lower() + message[1:]).rstrip(".") + hint, name)
        status = Exit.USAGE
    except click.exceptions.Exit as error:
        status = error.exit_code
    except (KeyboardInterrupt, click.Abort):
        status = Exit.INTERRUPTED
    except Fatal as error:
        _say(str(error))
        status = error.status
    except OSError as error:
        status = _output_failed(error) if error.filename is None else _file_failed(error)
    except Exception as error:  # noqa: BLE001 -- the last resort: one line for people, the status for scripts
        status = _unexpected(error)
    stdout, sys.stdout = sys.stdout, None  # type: ignore[assignment]
    try:  # Python would flush too, and exit with 120 if that fails
        if stdout is not None:
            stdout.flush()
    except OSError as error:
        status = status or _output_failed(error)
    if "deepspeed" in sys.modules:  # a rank, whose work is done: libraries that tidy up have aborted such a process
        from libra_cli.stream.signals import leave

        leave(status)
    sys.exit(status)


def _stop(*_: object) -> None:
    """Ends the process as a run that is asked to stop does: by itself, the signal would be an error."""
    from libra_cli.stream.signals import leave

    leave(Exit.STOPPED)


def _help_width() -> int:
    """Columns of help: as tables, those of the terminal on which it is read; 80 elsewhere."""
    from libra_cli.stream.text_width import text_width

    return min(text_width(1, default=80), WIDEST_HELP) - 2


def _output_failed(error: OSError) -> int:
    """Reports that help or a report cannot be printed; silent if the reader has left."""
    from libra_cli.stream.sinks import DEVICE_FAILED, is_abandoned, write_failed

    if isinstance(error, BrokenPipeError) and is_abandoned(1):
        failed: Fatal = ReaderGone()
    elif error.errno in DEVICE_FAILED:
        failed = write_failed("standard output", error)
        _say(str(failed))
    else:
        return _unexpected(error)
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)  # the rest of the buffer must not fail again
    return failed.status


def _file_failed(error: OSError) -> int:
    """Reports that a file cannot be used although that was possible when the run began."""
    if "--debug" in sys.argv:
        raise error
    reason = error.strerror or type(error).__name__
    _say(f"{os.fsdecode(error.filename)}: {reason}; check the file and the device, and run again")
    return Exit.WRITE_FAILED


def _unexpected(error: Exception) -> int:
    if "--debug" in sys.argv:
        raise error
    from libra_cli.packages import broken_import, missing_package

    unusable = missing_package(error) or broken_import(error)
    if unusable is not None:
        _say(str(unusable))
        return unusable.status
    import tempfile
    import traceback

    with tempfile.NamedTemporaryFile("w", prefix="libra-", suffix=".log", delete=False, encoding="utf-8") as file:
        traceback.print_exc(file=file)
    _say(f"internal error: {type(error).__name__}: {error} (traceback in {file.name}; --debug shows it)")
    return Exit.INTERNAL


def _say(message: str, name: str | None = None) -> None:
    """Writes `message` to stderr, each line after the name of the command."""
    from libra_cli.masking import masked
    from libra_cli.stream.console import printable, write_message
    from libra_cli.stream.ending import ERROR, tell

    tell(ERROR, message)
    stages = (" ".join(sys.argv[1:end]) for end in (3, 2))  # some have two words
    name = name or " ".join(["libra", *[stage for stage in stages if stage in STAGES][:1]])
    write_message("".join(f"{name}: {printable(line)}\n" for line in masked(message).split("\n")))
