"""`libra collect`: gathers problems in one form, without duplicates and without those of a benchmark."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import click

from libra_cli import choices
from libra_cli.cli.command import stage
from libra_cli.cli.numbers import NumberType
from libra_cli.cli.shared_options import where_option
from libra_cli.cli.stage_options import option

if TYPE_CHECKING:
    from libra_cli.stages.collect.sources import Origin, ReadOptions
    from libra_cli.stream.line_batch import LineSource
    from libra_cli.stream.options import StreamOptions
    from libra_cli.stream.run import Run

Values = dict[str, Any]


def _one_character(_ctx: click.Context, _param: click.Parameter, text: str | None) -> str | None:
    text = "\t" if text in ("tab", "\\t") else text
    if text is not None and (len(text) != 1 or text in '"\r\n'):
        raise click.UsageError(f"--delimiter {text}: write one character, or tab")
    return text


def _checked(read: str) -> Callable[[click.Context, click.Parameter, tuple[str, ...]], tuple[str, ...]]:
    """A callback that checks the option's texts with the function of `mapping` that `read` names."""

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
        raise click.UsageError(
            "a FILE or --hub takes one --preset, which says what its fields mean; run collect once for each"
        )
    preset = presets[0] if presets else None
    hubs = [sources.hub_origin(sources.parse_hub_name(name), preset) for name in values["hub"]]
    files = inputs or (() if hubs else ("-",))
    return [*(sources.file_origin(path, preset) for path in files), *hubs]


def _open(options: StreamOptions, values: Values) -> Callable[[StreamOptions, int], LineSource] | None:
    """Opens files, data sets and presets; None: rows come from standard input, as in every other stage."""
    if not (options.inputs or values["hub"] or values["preset"] or values["format"] or values["sheet"]):
        return None
    from libra_cli.stages.collect.sources import SourceChain

    origins, read_options = origins_of(options.inputs, values), read_options_of(options, values)
    return lambda _, wake_fd: SourceChain(origins, read_options, wake_fd)


def read_options_of(options: StreamOptions, values: Values) -> ReadOptions:
    """How to read the data."""
    from libra_cli.stages.collect import mapping
    from libra_cli.stages.collect.sources import ReadOptions
    from libra_cli.stream.tables import PADDED

    renames = mapping.parse_renames(values["map"])
    return ReadOptions(
        values["format"],
        values["delimiter"],
        values["sheet"],
        values["split"],
        values["revision"],
        options.max_line_bytes,
        options.stall_timeout,
        [one.source for one in renames if one.target in PADDED],
        {one.source: one.target for one in renames},
    )


@stage(
    "collect",
    reads_in_words="question and reference (or problem, prompt, answer and the like), which --map or --preset can take "
    "from other fields; for a pair, the two responses and the preference; all other fields as they are",
    writes=("id", "index", "question", "reference", "subset"),
    resumable=False,
    inputs=_open,
    examples=[
        "libra collect --preset libra-mini | libra rollout --model libra-mini/strong -n 4 > responses.jsonl",
        "libra collect problems.csv --map task=question --map gold=reference --where 'level >= 5' -o hard.jsonl",
        "libra collect --preset math500-level5 --preset aime2024 -o bench.jsonl",
        "libra collect --preset dapo-math dapo-math-17k.parquet --decontaminate bench.jsonl -o train.jsonl",
    ],
)
@option(
    "--preset",
    multiple=True,
    type=click.Choice(choices.PRESETS),
    metavar="NAME",
    help="Known data set to read; its own field names and filters are built in. libra-mini is a set of 300 small "
    "problems that comes with libra. Repeatable. With FILE or --hub, give one preset: then only its field names and "
    f"filters are used. Names: {', '.join(choices.PRESETS)}.",
)
@option("--hub", multiple=True, metavar="NAME[:CONFIG]", help="Data set on the Hugging Face hub. Repeatable.")
@option(
    "--split", metavar="NAME", help="Split of the hub data set. Default: its only split; of several, one must be named."
)
@option("--revision", metavar="REV", help="Branch, tag or commit of the hub data set. Default: its main branch.")
@option(
    "--format",
    type=click.Choice(choices.FORMATS),
    help="Format of the input. Default: by file name; standard input is JSONL.",
)
@option(
    "--delimiter",
    metavar="CHAR",
    callback=_one_character,
    help="Column separator of CSV input: one character, or the word tab. Default: what divides the first line (comma, "
    "semicolon, tab or |), or a line sep=; before it; tab for .tsv files.",
)
@option(
    "--sheet",
    metavar="NAME",
    help="Sheet of a workbook (.xlsx, .xls, .ods) to read. Default: the only one with cells; of several, one must be "
    "named.",
)
@option(
    "--map",
    multiple=True,
    metavar="FROM=TO",
    callback=_checked("parse_renames"),
    help="Rename field FROM to TO. FROM may be a path into objects and lists: reward_model.ground_truth, "
    "prompt.0.content. Repeatable.",
)
@option(
    "--set",
    multiple=True,
    metavar="FIELD=VALUE",
    callback=_checked("parse_settings"),
    help="Set FIELD to VALUE in every row. VALUE is read as JSON, or as text if it is not JSON. Repeatable.",
)
@option(
    "--subset",
    metavar="NAME",
    help="Value of `subset` in every row. Default: the row's own subset, or else the name of its file or data set.",
)
@option(
    "--keep-fields",
    metavar="A,B,C",
    help="Fields to keep besides id, index, question, reference and subset. Default: all.",
)
@option("--no-reference", is_flag=True, help="Accept rows without a reference answer.")
@where_option("Keep only rows for which EXPR is true.")
@option(
    "--duplicates",
    type=click.Choice(choices.COLLECT_DUPLICATES),
    default="drop",
    help="What is left out and counted. drop: problems that are equal, or nearly equal, to an earlier one. all: "
    "responses, too, that are equal to one of the same file in every field. keep: nothing.",
)
@option(
    "--near-duplicates",
    type=NumberType(float, 0, 1),
    default=0.8,
    metavar="SHARE",
    help="A problem is nearly equal to an earlier one if both have the same numbers and the same reference, and if "
    "their sets of 5-word shingles have at least this Jaccard similarity. 0: only equal problems count as duplicates.",
)
@option(
    "--decontaminate",
    multiple=True,
    metavar="AGAINST",
    reads=True,
    suggested=choices.PRESETS,
    help="Drop rows that contain a problem of the benchmark AGAINST (contaminated rows): a JSONL, CSV or Parquet "
    "file, or the name of a preset. Repeatable.",
)
@option(
    "--ngram",
    type=NumberType(int, 1),
    default=4,
    metavar="N",
    help="Number of words in each run that --decontaminate compares: a word counts where it is in a run of N words "
    "that the row and the benchmark problem both have.",
)
@option(
    "--overlap",
    type=NumberType(float, 0, 1),
    default=0.5,
    metavar="SHARE",
    help="A row is contaminated if it contains at least this share of one benchmark problem, by weight: numbers weigh "
    "twice as much as words, and words and phrases that many problems share weigh nothing.",
)
@option(
    "--report",
    writes="lines",
    keys=("place", "against", "problem", "overlap", "shared"),
    metavar="FILE",
    shapes_rows=False,
    help="Write each contaminated row to FILE as JSONL: where it is, the benchmark problem, and the text that both "
    "share.",
)
@option(
    "--seed",
    type=NumberType(int),
    default=0,
    metavar="N",
    help="Random seed that decides which response of a chosen/rejected pair comes first.",
)
def command(run: Run, **values: Any) -> None:
    """Gather problems from files and hub data sets; rename fields, filter, remove duplicates.

    Reads JSONL, CSV and Parquet files, standard input, data sets on the Hugging Face hub, and those of the paper by
    name (--preset). Each output row begins with id, index, question, reference and subset; other fields follow. A pair
    of responses with a preference needs no reference. In rows without them, `problem`, `prompt`, `instruction`, `query`
    or `input` becomes the question, and `answer`, `final_answer`, `ground_truth`, `solution` or, if the row has no
    response, `label` the reference (its final answer), which a note says; --map names others. Presets also read
    preference data, labelled solutions, and logs of other tools.

    Problems are equal if they differ only in case, white space and LaTeX spacing. The first is kept, the others are
    dropped (see --duplicates); one with another reference is refused (conflicting_reference), so that you can see which
    is right. Responses may be equal, as a model may answer the same twice: they are kept, and a line says how many of
    them equal one of their file in every field; those with the same `sample` are dropped. A file is a subset of its
    own, unless --subset or its rows name one. Of lm-evaluation-harness's lines for several filters, those of the first
    are kept (other_filter). With --shard, each part compares only its own rows.

    In --where, a comparison with null or between types is unknown: the row is dropped (where_unknown). A run of all
    rows ends with status 2 if none has a field of --where, or one of --map while rows have a name like it.
    """
    from libra_cli.answers.time_limit import HARD_SECONDS, time_limit
    from libra_cli.stages.collect import mapping
    from libra_cli.stages.collect.decontaminate import (
        benchmark_origin,
        can_be_read_twice,
        questions_of,
        read_benchmarks,
    )
    from libra_cli.stages.collect.duplicates import Duplicates
    from libra_cli.stages.collect.problem_collector import CollectPlan
    from libra_cli.stages.collect.run import collect
    from libra_cli.stages.collect.sources import ReadOptions
    from libra_cli.stream.where import parse

    against = [benchmark_origin(name) for name in values["decontaminate"]]
    read_options = ReadOptions(max_line_bytes=run.options.max_line_bytes)
    benchmarks = (
        read_benchmarks(against, read_options, values["ngram"], values["overlap"], run.stop) if against else None
    )
    renames = mapping.parse_renames(values["map"])
    origins = origins_of(run.options.inputs, values)
    kept = values["keep_fields"]
    plan = CollectPlan(
        renames=renames,
        settings=mapping.parse_settings(values["set"]),
        subset=values["subset"],
        keep_fields=None if kept is None else [name.strip() for name in kept.split(",") if name.strip()],
        need_reference=not values["no_reference"],
        wheres=[parse(text) for text in values["where"]],
        duplicates=Duplicates.wanted(values["duplicates"], values["near_duplicates"]),
        benchmarks=benchmarks,
        seed=values["seed"],
    )
    if benchmarks is not None and all(map(can_be_read_twice, origins)):
        benchmarks.learn_phrases(questions_of(origins, read_options_of(run.options, values), renames, run.stop))
    elif benchmarks is not None:
        reason = "the data comes through a pipe, so only the phrases of the benchmark are known, not those of the data"
        run.console.note(f"--decontaminate: {reason}; to use both, name the file", event="phrases")
    with time_limit(HARD_SECONDS):
        collect(run, plan, origins, values["report"])
