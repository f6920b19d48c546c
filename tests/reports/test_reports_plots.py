"""Figures of libra score by matplotlib: the same bytes for the same report, and one clear line where it is missing."""

from __future__ import annotations

import sys
from xml.etree import ElementTree

import click
import pytest
from reports_samples import HOSTILE, correlation, everything, pointwise, reasoning

from libra_cli.exits import Exit, Fatal
from libra_cli.reports import plots

pytest.importorskip("matplotlib", reason="the extra plot is not installed")


@pytest.mark.parametrize("suffix", ["svg", "pdf", "png"])
def test_the_same_report_gives_the_same_bytes(tmp_path, suffix):
    names = [str(tmp_path / f"{name}.{suffix}") for name in "ab"]
    for name in names:
        plots.write({"reports": [pointwise()]}, name)
    first, second = ((tmp_path / f"{name}.{suffix}").read_bytes() for name in "ab")
    assert first == second
    plots.write({"reports": [pointwise(shift=-0.05)]}, names[1])
    assert (tmp_path / f"b.{suffix}").read_bytes() != first


def words(path):
    """What matplotlib notes beside the outlines of its letters."""
    parser = ElementTree.XMLParser(target=ElementTree.TreeBuilder(insert_comments=True))
    nodes = ElementTree.parse(path, parser).iter()
    return {node.text.strip() for node in nodes if node.tag is ElementTree.Comment and node.text}


def test_everything_that_has_figures_is_drawn(tmp_path):
    path = tmp_path / "all.svg"
    plots.write(everything(), str(path))
    said = words(path)
    assert {"libra-bench", "judgebench", "pass@k", "reliability", "risk and coverage", "Pearson r = 0.912"} <= said
    assert {"1,341", "Judge-A", "MATH-500", "pass@1, %"} <= {line for text in said for line in text.split("\n")}


def test_no_marker_is_cut_at_the_edge_of_its_axes(tmp_path, monkeypatch):
    """Shares of 0 and 1 are common, and half a marker says nothing."""
    from matplotlib.axes import Axes

    drawn = []
    for name in ("plot", "errorbar"):
        plain = getattr(Axes, name)

        def record(self, *values, plain=plain, **style):
            drawn.append(style)
            return plain(self, *values, **style)

        monkeypatch.setattr(Axes, name, record)
    alike = pointwise()
    alike["calibration"] = {**alike["calibration"], "risk_coverage": [[1.0, 0.0]]}
    plots.write({**everything(), "reports": [alike, reasoning()]}, str(tmp_path / "edges.png"))
    marked = [style for style in drawn if style.get("marker") not in (None, "")]
    assert len(marked) >= 3
    assert {style.get("clip_on") for style in marked} == {False}


def test_names_are_no_formulas_and_none_is_left_out_of_the_legend(tmp_path):
    path = tmp_path / "names.svg"
    plots.write({"reports": [pointwise("$\\frac{"), pointwise("_hidden", 0.01)]}, str(path))
    assert {"$\\frac{", "_hidden"} <= words(path)
    plots.write({"reports": [pointwise(HOSTILE)]}, str(path))


BARE = {"benchmark": "b", "judge": "j", "n": 0, "sections": {}, "overall_is": "mean"}


@pytest.mark.parametrize(
    "found", [{"correlation": correlation()}, {"reports": [reasoning()]}, {"reports": []}, {"reports": [BARE]}]
)
def test_a_report_with_little_in_it_is_drawn(tmp_path, found):
    plots.write(found, str(tmp_path / "little.png"))
    assert (tmp_path / "little.png").read_bytes().startswith(b"\x89PNG")


def test_a_name_that_is_no_figure(tmp_path):
    with pytest.raises(click.UsageError, match=r"a\.jpg: name a file that ends in \.png, \.svg, \.pdf"):
        plots.write({"reports": []}, str(tmp_path / "a.jpg"))


def test_a_missing_matplotlib_is_one_line_with_the_cure(tmp_path, monkeypatch):
    # What Python itself takes for a module that cannot be found.
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    with pytest.raises(Fatal, match=r"--plot needs matplotlib: pip install 'libra-cli\[plot\]'") as raised:
        plots.check("a.svg")
    assert raised.value.status == Exit.USAGE


def test_a_folder_that_is_not_there_is_named(tmp_path):
    with pytest.raises(Fatal, match=r"none/a\.svg: cannot be written") as raised:
        plots.write({"reports": []}, str(tmp_path / "none" / "a.svg"))
    assert raised.value.status == Exit.USAGE
