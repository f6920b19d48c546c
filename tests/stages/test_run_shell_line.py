"""Lines for the shell in a pipeline: where quotes are, which words they have, and how a script has them."""

from __future__ import annotations

import subprocess

import click
import pytest

from libra_cli.cli.config_file import ConfigValue
from libra_cli.stages.run.shell_line import BASH, filled_line, redirected, words_of
from libra_cli.stages.run.shell_quoting import standings

VALUES = {
    "word": "a b",
    "plain": "ab",
    "two": ["a", "b c"],
    "one": ["ab"],
    "none": [],
    "quote": "it's $HOME",
    "empty": "",
    "slash": "\\a`b",
    "lines": "a\nb",
}


def filled(line: str) -> str:
    known = {name: ConfigValue(0, value, value) for name, value in VALUES.items()}
    return filled_line("p.yaml", ConfigValue(3, line, line), known.get, known)


@pytest.mark.parametrize(
    ("line", "printed"),
    [
        ("printf '%s|' x ${word}", "x|a b|"),
        ("printf '%s|' x${word}y", "xa by|"),
        ("printf '%s|' x ${two} ${none} y", "x|a|b c|y|"),
        ("printf '%s|' '${plain}' \"${one}\"", "ab|ab|"),
        ("printf '%s|' ${quote} \"$${#OTHER}\"", "it's $HOME|9|"),
        ("printf '%s|' ${empty} x", "|x|"),
        ("# it's a comment\nprintf '%s|' ${word}", "a b|"),
        ("printf '%s|' \\' ${word}", "'|a b|"),
        ('printf "%s|" "\\"" ${word}', '"|a b|'),
        ("printf '%s|' '\\' ${word}", "\\|a b|"),
    ],
)
def test_each_value_is_a_word_of_the_line(line, printed):
    ended = subprocess.run(
        [*BASH, filled(line)], capture_output=True, text=True, check=True, env={"OTHER": "123456789"}
    )
    assert ended.stdout == printed


@pytest.mark.parametrize(
    ("line", "printed"),
    [
        # A substitution has quotes of its own.
        ("printf '%s|' \"$(printf '%s,' ${word} y)\"", "a b,y,|"),
        ("printf '%s|' $(printf '<%s>' ${word})", "<a|b>|"),
        ('printf "%s|" "x $(printf "<%s>" "$(printf %s ${quote})") ${plain}"', "x <it's $HOME> ab|"),
        ('printf "%s|" "$(printf "%s" "q" ${word})" ${word}', "qa b|a b|"),
        ("cat <(printf '%s|' ${two}) <(echo ${word})", "a|b c|a b\n"),
        ("(printf '%s|' ${word}; (printf %s ${quote}))", "a b|it's $HOME"),
        ('printf "%s|" "$((1 + (2 << 1))) $(echo $((1 << 2)) ${word})"', "5 4 a b|"),
        ("printf '%s|' $${NONE:-${word}} \"$${NONE:-${plain}}\"", "a b|ab|"),
        ("printf '%s|' $'it\\'s' ${word}", "it's|a b|"),
        ("printf '%s|' `printf '<%s>' ${plain}` ${word}", "<ab>|a b|"),
        ("x=$(case a in a) printf %s ${word};; esac); printf '%s|' \"$x\" ${word}", "a b|a b|"),
        # The text of a here-document has none.
        ("cat <<END\n${word}: ${quote} ${two} it's\nEND\necho ${word}", "a b: it's $HOME a b c it's\na b\n"),
        ("cat <<'END'\n${word}: ${quote} `x` ${slash}\nEND", "a b: it's $HOME `x` \\a`b\n"),
        ("cat <<END\n${slash}\nEND", "\\a`b\n"),
        ("cat <<-E | tr a c; printf '%s' ${word}\n\t${word}\n\tE", "c b\na b"),
        ("cat <<A - <<B; echo ${word}\n${quote}\nA\nx ${word}\nB\necho ${word}", "x a b\na b\na b\n"),
        ('echo "$(cat <<END\n"${word}" $(printf "<%s>" ${word})\nEND\n)" ${word}', '"a b" <a b> a b\n'),
        ("cat <<<${word}; echo $((1<<2)) ${word}\n", "a b\n4 a b\n"),
        ("cat <<END\nx\\\nEND\n${word}\nEND", "xEND\na b\n"),
        ("cat <<END # it's ${word}\n${word}\nEND", "a b\n"),
    ],
)
def test_each_value_is_itself_within_substitutions_and_here_documents(line, printed):
    ended = subprocess.run(
        [*BASH, filled(line)], capture_output=True, text=True, check=True, env={"PATH": "/usr/bin:/bin"}
    )
    assert ended.stdout == printed


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("echo '${word}'", "within quotation marks; leave these out"),
        ('echo "x ${two}"', "within quotation marks"),
        ("echo '${empty}'", "within quotation marks"),
        ("echo $'${word}'", "within quotation marks"),
        ('echo "a $(echo "${word}")"', "within quotation marks"),
        ('echo "$(echo) ${word}"', "within quotation marks"),
        ('echo "$${NONE:-${word}}"', "within quotation marks"),
        ("echo $((1 + ${word}))", "in arithmetic; give a number"),
        ("echo `ls ${word}`", "within backquotes; write $(...) in place of these"),
        ('echo "`ls ${word}`"', "within backquotes"),
        ("echo \\${word}", "behind a backslash; leave that out"),
        ('echo "$(case a in a) echo "${word}";; esac)"', "behind a case within a substitution"),
        ("echo x # ${lines}", "in a comment; leave it out"),
    ],
)
def test_what_needs_quotes_is_refused_where_it_cannot_have_them(line, reason):
    with pytest.raises(click.UsageError, match=r"(?s)p.yaml:3: .* cannot stand ") as caught:
        filled(line)
    assert reason in str(caught.value)


@pytest.mark.parametrize("line", ["cat <<END\n${lines}\nEND", "cat <<'a b'\n${word}\na b"])
def test_a_value_neither_ends_nor_breaks_a_here_document(line):
    with pytest.raises(click.UsageError, match=r"would end or break the here-document of (END|a b); write it with"):
        filled(line)


@pytest.mark.parametrize(
    ("line", "kind"),
    [
        ("a '${x}'", "quotes"),
        ("'a' ${x}", "word"),
        ('"\'" ${x}', "word"),
        ("'\"' ${x}", "word"),
        ("# ' ${x}", "comment"),
        ("a#' ${x}", "quotes"),
        ("(a) # ' ${x}", "comment"),
        ('"$(a # \'\n)" ${x}', "word"),
        ('"$(a "b") ${x}"', "quotes"),
        ("\\' ${x}", "word"),
        ("case a in a) b;; esac; '${x}'", "quotes"),
    ],
)
def test_quotes_are_found_as_a_shell_finds_them(line, kind):
    assert [standing.kind for standing in standings(line).values()] == [kind]


def test_the_words_of_a_line_are_those_of_a_shell():
    assert words_of("jq -c '.a | b' 'x y'<in.jsonl 2>&1 | sort>out;cat a#b") == [
        *("jq", "-c", ".a | b", "x y", "<", "in.jsonl", "2", ">&", "1", "|", "sort", ">", "out", ";", "cat", "a#b")
    ]
    assert words_of("cat <<END\nit's\nEND") == ["cat", "<<END", "it's", "END"]


@pytest.mark.parametrize(
    "line",
    [
        "echo a | cat",
        "echo a; echo b",
        "false || echo a",
        "true && echo a",
        "echo a # b",
        "ls -d / 2>&1 | cat",
        "cat <<E\na\nE",
        "cat nowhere 2>&1 || :",
    ],
)
def test_all_that_a_line_prints_is_in_the_output_of_the_script(line, tmp_path):
    printed = subprocess.run([*BASH, line], capture_output=True, check=True).stdout
    subprocess.run(["bash", "-c", redirected(line, f"{tmp_path}/a b")], check=True, stdout=subprocess.DEVNULL)
    assert (tmp_path / "a b").read_bytes() == printed


def test_one_pipe_stands_as_it_is():
    assert redirected("jq -c '.a; .b' <x | cat", "y z") == "jq -c '.a; .b' <x | cat > 'y z'"
