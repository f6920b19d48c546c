"""The pages of libra score and libra review in a real browser, where this machine has one."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest
from browser import NAMES, Browser, installed
from reports_samples import HOSTILE, everything

from libra_cli.reports import page

pytestmark = pytest.mark.skipif(installed() is None, reason=f"no browser here: install one of {', '.join(NAMES)}")

# Contrast by WCAG 2.1 (relative luminance), of the colours that the browser has really computed.
CONTRAST = """(() => {
  const light = c => { c /= 255; return c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4; };
  const of = text => { const [r, g, b] = text.match(/[0-9.]+/g).map(Number).map(light);
    return 0.2126 * r + 0.7152 * g + 0.0722 * b; };
  const behind = e => { for (; e; e = e.parentElement) {
    const c = getComputedStyle(e).backgroundColor; if (c !== 'rgba(0, 0, 0, 0)') return c; }
    return 'rgb(255, 255, 255)'; };
  const words = 'h1,h2,h3,a,dt,dd,th,td,caption,p,summary,svg text,label,small,span';
  const worst = [...document.querySelectorAll(words)].map(e => {
    const style = getComputedStyle(e), a = of(e.closest('svg') ? style.fill : style.color), b = of(behind(e));
    return (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05); });
  return Math.min(...worst);
})()"""


@pytest.fixture(scope="module")
def browser(tmp_path_factory):
    with Browser(tmp_path_factory.mktemp("profile")) as opened:
        yield opened


@pytest.fixture(scope="module")
def report(tmp_path_factory):
    path = tmp_path_factory.mktemp("page") / "report.html"
    page.write(everything(), str(path))
    return path


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [360, 1400])
def test_report_fits_its_window_and_can_be_read(browser, report, width, scheme):
    browser.errors.clear()
    browser.open(report, width, scheme=scheme)
    assert browser.value("document.documentElement.scrollWidth") <= width
    assert browser.value(CONTRAST) >= 4.5
    assert browser.errors == []
    assert set(browser.loaded) == {report.as_uri()}


@pytest.mark.parametrize("width", [360, 390, 500, 800, 1280])
def test_no_table_of_a_report_is_cut_off(browser, report, width):
    """A table without room for its columns is a list of cells with their names."""
    browser.open(report, width)
    assert browser.value("document.documentElement.scrollWidth") <= width
    found = browser.value("""[...document.querySelectorAll('.wide')].map(e => [e.scrollWidth - e.clientWidth,
      getComputedStyle(e.querySelector('tr:last-child')).display, e.querySelector('td').dataset.name,
      getComputedStyle(e.querySelector('td'), '::before').content])""")
    assert {over for over, *_ in found} == {0}
    assert any(display == "block" for _, display, *_ in found) == (width < 1280)
    assert [name for _, display, name, shown in found if shown != (f'"{name}"' if display == "block" else "none")] == []


def test_a_telephone_shows_the_overall_figure_first(browser, report):
    browser.open(report, 390)
    found = browser.value("""[...document.querySelectorAll('.lead')].map(e => [e.textContent,
      e.getBoundingClientRect().top, document.querySelector('table').getBoundingClientRect().top])""")
    figure, top, first_table = next(each for each in found if each[0].startswith("Judge-A: mean accuracy 78.0%"))
    assert top < min(844, first_table), figure


def test_schemes_differ(browser, report):
    colours = []
    for scheme in ("light", "dark"):
        browser.open(report, 800, scheme=scheme)
        colours.append(browser.value("getComputedStyle(document.body).backgroundColor"))
    assert colours == ["rgb(255, 255, 255)", "rgb(20, 24, 29)"]


def test_no_words_of_a_chart_lie_on_others(browser, report):
    """Names beside bars are clipped so that the figure at the end of their line stays free."""
    for width in (360, 1400):
        browser.open(report, width)
        found = browser.value("""[...document.querySelectorAll('svg:not(.square)')].flatMap(svg => {
          const boxes = [...svg.querySelectorAll('text')].map(e => e.getBoundingClientRect());
          return boxes.flatMap((a, i) => boxes.slice(i + 1).filter(b =>
            a.left < b.right - 1 && b.left < a.right - 1 && a.top < b.bottom - 4 && b.top < a.bottom - 4));
        }).length""")
        assert found == 0


def test_a_long_text_opens_without_a_script(browser, report):
    browser.open(report, 800)
    browser.value("document.querySelectorAll('details').forEach(each => each.open = true)")
    height = "document.querySelector('.clip pre').clientHeight"
    clipped = browser.value(height)
    browser.value("document.querySelector('.clip input').click()")
    assert browser.value(height) > 2 * clipped


def test_what_rows_hold_never_runs(browser, report):
    browser.open(report, 800)
    assert browser.value("document.scripts.length + document.images.length") == 0


# -- the page of libra review -----------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def review(tmp_path_factory):
    folder = tmp_path_factory.mktemp("review")
    votes = [
        {"annotator": "rule", "verdict": "correct", "by": "symbolic"},
        {"annotator": "a-judge-with-a-long-name-and-no-spaces", "verdict": "wrong", "text": HOSTILE},
        {"annotator": "other", "verdict": None, "reason": "no_verdict", "text": "hm"},
    ]
    row = {"question": HOSTILE, "reference": "2", "response": "x" * 500 + HOSTILE, "label": None, "model": "m" * 60}
    lines = [json.dumps({**row, "id": f"r{at}", "verification": {"answer": "2", "votes": votes}}) for at in range(3)]
    (folder / "rows.jsonl").write_text("\n".join(lines) + "\n")
    made = [sys.executable, "-m", "libra_cli", "review", "rows.jsonl", "--html", "page.html"]
    subprocess.run(made, cwd=folder, check=True, capture_output=True)
    return folder / "page.html"


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [360, 1400])
def test_review_fits_its_window_and_can_be_read(browser, review, width, scheme):
    browser.errors.clear()
    browser.open(review, width, scheme=scheme)
    assert browser.value("document.documentElement.scrollWidth") <= width
    assert browser.value("document.querySelector('header').offsetHeight") < 140
    assert browser.value(CONTRAST) >= 4.5
    assert browser.errors == []


def test_review_labels_with_keys_and_buttons(browser, review):
    browser.open(review, 1000)
    browser.value("localStorage.clear(), labels.clear(), articles.forEach(show)")
    browser.value("document.querySelectorAll('article')[1].querySelector('button[value=\"0\"]').click()")
    browser.value("document.querySelectorAll('article')[0].focus()")
    browser.call("Input.dispatchKeyEvent", type="keyDown", key="y", text="y")
    assert browser.value("document.getElementById('count').textContent") == "2 of 3 labelled"
    found = browser.value("[...document.querySelectorAll('article')].map(each => each.dataset.label ?? '')")
    assert found == ["1", "0", ""]
