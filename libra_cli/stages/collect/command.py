"""`libra collect`: problems from anywhere, in one form, each once, and none of a benchmark's."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import click

from libra_cli import choices
from libra_cli.cli.command import option, stage

if TYPE_CHECKING:
    from libra_cli.stages.collect.sources import Origin
    from libra_cli.stream.line_source import LineSource
    from libra_cli.stream.options import StreamOptions
    from libra_cli.stream.run import Run

Values = dict[str, Any]


def _expressions(_ctx: click.Context, _param: click.Parameter, texts: tuple[str, ...]) -> tuple[str, ...]:
    from libra_cli.stages.collect import where

    for text in texts:
        try:
            where.parse(text)
        except where.WhereError as error:
            raise click.UsageError(f"--where cannot be read:\n{error.shown()}") from None
    return texts


def _one_character(_ctx: click.Context, _param: click.Parameter, text: str | None) -> str | None:
    text = "\t" if text in ("tab", "\\t") else text
    if text is not None and (len(text) != 1 or text in '"\r\n'):
        raise click.UsageError(f"--delimiter {text}: write one character, or tab")
    return text


def _checked(read: str) -> Callable[[click.Context, click.Parameter, tuple[str, ...]], tuple[str, ...]]:
    """A callback that checks the option's texts with the function `read` of `mapping`."""

    def check(_ctx: click.Context, param: click.Parameter, texts: tuple[str, ...]) -> tuple[str, ...]:
        from libra_cli.stages.collect import mapping

        try:
            getattr(mapping, read)(texts)
        except ValueError as error:
            raise click.UsageError(f"{param.opts[0]}: {error}") from None
        return texts

    return check


def origins_of(inputs: tuple[str, ...], values: Values) -> list[Origin]:
    """The files and hub data sets to read; without any, the data of the presets."""
    from libra_cli.stages.collect import sources
    from libra_cli.stages.collect.presets import PRESETS

    presets = [PRESETS[name] for name in values["preset"]]
    if not inputs and not values["hub"] and presets:
        return [sources.preset_origin(preset) for preset in presets]
    if len(presets) > 1:
        raise click.UsageError("one --preset says what the fields of a FILE or --hub mean; run collect once for each")
    preset = presets[0] if presets else None
    hubs = [sources.hub_origin(sources.parse_hub_name(name), preset) for name in values["hub"]]
    files = inputs or (() if hubs else ("-",))
    return [*(sources.file_origin(path, preset) for path in files), *hubs]


def _open(options: StreamOptions, values: Values) -> Callable[[StreamOptions, int], LineSource] | None:
    """Opens files, data sets and presets; None: rows come from standard input, as in every other stage."""
    if not (options.inputs or values["hub"] or values["preset"] or values["format"]):
        return None
    from libra_cli.stages.collect.sources import ReadOptions, SourceChain

    origins = origins_of(options.inputs, values)
    read_options = ReadOptions(
        values["format"], values["delimiter"], values["split"], values["revision"], options.max_line_bytes
    )
    return lambda _, wake_fd: SourceChain(origins, read_options, wake_fd)


@stage(
    "collect",
    writes=("id", "index", "question", "reference", "subset"),
    resumable=False,
    inputs=_open,
    examples=[
        "libra collect --preset libra-mini | libra rollout --model libra-mini/strong -n 4 > responses.jsonl",
        "libra collect problems.csv --map problem=question --map answer=reference --where 'level >= 5' -o hard.jsonl",
        "libra collect --preset math500-level5 --preset aime2024 --preset aime2025 -o benchmark.jsonl",
        "libra collect --preset dapo-math dapo-math-17k.parquet --decontaminate benchmark.jsonl -o train.jsonl",
    ],
)
@option(
    "--preset",
    multiple=True,
    type=click.Choice(choices.PRESETS),
    help="A data set of the paper: its hub name, fields and filters. With a FILE or --hub: what its fields mean.",
)
@option("--hub", multiple=True, metavar="NAME[:CONFIG]", help="A data set of the Hugging Face hub.")
@option("--split", metavar="NAME", help="The split of the hub data set.  [default: its only one]")
@option("--revision", metavar="REV", help="The revision (branch, tag, commit) of the hub data set.")
@option(
    "--format",
    type=click.Choice(choices.FORMATS),
    help="What a FILE is.  [default: by its name; standard input is JSONL]",
)
@option(
    "--delimiter",
    metavar="CHAR",
    callback=_one_character,
    help="What separates the cells of CSV.  [default: comma, or tab in .tsv]",
)
@option(
    "--map",
    multiple=True,
    metavar="FROM=TO",
    callback=_checked("parse_renames"),
    help="Rename a field; FROM may lead into objects and lists (reward_model.ground_truth=reference).",
)
@option(
    "--set",
    multiple=True,
    metavar="FIELD=VALUE",
    callback=_checked("parse_settings"),
    help="Give every row a field; VALUE is JSON, or else text.",
)
@option("--subset", metavar="NAME", help="The subset of every row.  [default: the row's own, or the file's name]")
@option("--keep", metavar="A,B,C", help="Of the fields that are no problem's own, keep these only.  [default: all]")
@option("--no-reference", is_flag=True, help="Take rows without a golden answer, too.")
@option(
    "--where",
    multiple=True,
    metavar="EXPR",
    callback=_expressions,
    help="Keep rows for which EXPR is true: == != < <= > >= in, and or not, + - * / %, 'text', null, [a, b], "
    "len(x), lower(x), number(x), matches(x, 'regex'), field('odd name'). Several must all be true.",
)
@option(
    "--duplicates",
    type=click.Choice(choices.COLLECT_DUPLICATES),
    default="drop",
    help="A problem that equals or nearly equals an earlier one: drop it and count it, or keep it.",
)
@option(
    "--near-duplicates",
    type=click.FloatRange(0, 1),
    default=0.8,
    metavar="SHARE",
    help="Leave out a problem with an earlier one's numbers and answer and this Jaccard share of its runs of five "
    "words; 0: exact duplicates only.",
)
@option(
    "--decontaminate",
    multiple=True,
    metavar="AGAINST",
    suggested=choices.PRESETS,
    help="Leave out problems of this benchmark: a file (JSONL, CSV, Parquet) or the name of a preset.",
)
@option(
    "--ngram", type=click.IntRange(1), default=13, metavar="N", help="Words in a run that --decontaminate looks for."
)
@option(
    "--overlap",
    type=click.FloatRange(0, 1),
    default=0.1,
    metavar="SHARE",
    help="Of a benchmark problem's runs, how much makes a row contaminated; 0: a single run does.",
)
@option("--report", metavar="FILE", shapes_rows=False, help="Write each contaminated row and what it shares to FILE.")
@option(
    "--seed", type=int, default=0, metavar="N", help="Decides which response of a chosen/rejected pair comes first."
)
def command(run: Run, **values: Any) -> None:
    """Gather problems from files or hub data sets, map their fields, filter and de-duplicate them.

    Reads JSONL, CSV and Parquet files, standard input, data sets of a hub, and the data sets of the paper by name.
    Every row written has id, index, question, reference and subset, then its other fields. A pair of responses with a
    preference needs no reference.

    The first of several equal problems stays; equal are those that differ in case, white space and LaTeX spacing only.
    One with another answer is refused (conflicting_reference). Rows with responses are compared whole. With --shard
    each part knows its own duplicates only.

    Comparing with null or with another type in --where is neither true nor false: the row is left out and counted as
    where_unknown.
    """
    from libra_cli.stages.collect import mapping, where
    from libra_cli.stages.collect.decontaminate import benchmark_origin, read_benchmarks
    from libra_cli.stages.collect.duplicates import Duplicates
    from libra_cli.stages.collect.problem_collector import CollectPlan
    from libra_cli.stages.collect.run import collect
    from libra_cli.stages.collect.sources import ReadOptions

    run.options.check_names(values["report"])
    against = [benchmark_origin(name) for name in values["decontaminate"]]
    read_options = ReadOptions(max_line_bytes=run.options.max_line_bytes)
    plan = CollectPlan(
        renames=mapping.parse_renames(values["map"]),
        settings=mapping.parse_settings(values["set"]),
        subset=values["subset"],
        keep=None if values["keep"] is None else [name.strip() for name in values["keep"].split(",") if name.strip()],
        need_reference=not values["no_reference"],
        wheres=[where.parse(text) for text in values["where"]],
        duplicates=None if values["duplicates"] == "keep" else Duplicates(values["near_duplicates"] or None),
        benchmarks=read_benchmarks(against, read_options, values["ngram"], values["overlap"]) if against else None,
        seed=values["seed"],
    )
    collect(run, plan, origins_of(run.options.inputs, values), values["report"])
