"""Words by which a sentence is cut into clauses, and by which its numbers belong to it or to other words."""

from __future__ import annotations

from collections.abc import Sequence

from libra_cli.answers.text.words import table

TOTALS = table("altogether total overall all")
SUMS_UP = table("total all conclusion fact summary short other this that the end")
"""Words after "in" that begin no condition."""
BEGINS_CLAUSE = table(
    "so therefore hence thus then which giving gives leaving leaves but altogether finally consequently "
    "поэтому следовательно значит donc daher somit folglich portanto logo quindi dunque luego entonces"
)
BEGINS_ASIDE = table(
    "because since as when where whose if while whereas although though assuming given considering provided unless "
    "after depending "
    "before about approximately roughly i.e. e.g. namely attained achieved reached occurs occur occurring not despite "
    "regardless instead rather using by for with in upon check verification"
)
ABOUT = table("about approximately roughly")
SUBJECTS = table("i you he she it we they there this that these those the a an his her its their my our")
VERBS = table(
    "is are was were be equals equal has have had makes make made gets get got takes take took costs cost needs need "
    "gives give gave leaves left remains remain becomes become contains contain sells sell sold buys buy bought earns "
    "earn earned spends spend spent pays pay paid saves save saved uses use used eats eat ate can will must wait waits "
    "weighs weigh lasts last comes come totals obtain obtained find found conclude holds hold works means "
    "iff corresponds converts "
    "yields yield produces reduces simplifies boils amounts amount adds sums averages evaluates equates "
    "translates implies reaches reach winds keeps kept retains obtains finds concludes deduce calculate compute "
    "tends tend approaches approach drops falls shrinks"
)
THEREFORE = table("therefore thus hence consequently")
"""Words that begin a clause, unless they stand behind its verb: the perimeter is therefore 32."""
FORMS = table(
    "write rewrite express factors factorises factorizes "
    "written rewritten expressed factored factorised decomposes works comes out same"
)
"""Words before "as" and another form of what is given."""
LEADS = table(
    "gives give gave giving yields yield yielded yielding leaves leave left leaving makes make making equals equaling "
    "totals totaling totalling gets get got obtains obtain obtained obtaining finds find found produces produce "
    "produced reaches reach reached retains becomes become means implies represents deduce deduces calculate compute "
    "conclude concludes remains remain approaches approach"
)
"""Verbs with the result of a calculation behind them."""
LEADS_TO = table(
    """
    comes come came works worked work amounts amount amounted total totals totalled adds add added sums averages
    boils boiled reduces reduced simplifies simplified evaluates evaluated equates equal equals translates converts
    corresponds leads led brings gets arrives arrive arrived turns resolves rounds down computes out up back us him
    her them tends tend converges converge goes go drop drops dropped fall falls fell shrinks shrink shrank rises
    rise rose grows grow grew increases decreases increased decreased
    """
)
"""Words before the "to" of a result: works out to, comes to, boils down to."""
LEADS_WITH = {
    "with": table(
        "left ends end ended winds wound finishes finish finished remains up out himself herself themselves stuck"
    ),
    "at": table("arrive out ends end up us zeros zeroes roots vanishes lands land"),
    "as": table("out up same"),
    "in": table("results result resulted resulting"),
    "into": table("translates converts"),
    "by": table("satisfied solved"),
    "for": table("satisfied holds true"),
}
"""Words before another preposition of a result: left with, works out at, results in."""
LEADS_IN_SIGNS = tuple(
    "得到 得出 得 等于 等於 剩下 剩余 剩餘 还剩 還剩 剩 一共 总共 總共 共计 共 变为 变成 くと すと ると うと むと "  # noqa: SIM905
    "けば せば れば えば たら 하면 빼면 누면 으면 되면 보면".split()
)
"""Ends of words with the result of a calculation behind them in Chinese, Japanese and Korean."""
IS = table("is are was were be equals equal being that's it's there's here's")
AFTER_IS = table("to therefore thus then simply exactly just also only now the a an : = of about approximately roughly")
IMPERATIVES = table("take find use let consider suppose check note count add subtract divide multiply")
CHECKS = table("check verification 验证 检验")
NOTES = table("note notice recall remember")
HOLDING = table("holds hold true satisfied valid defined positive negative non-negative non-positive nonnegative")
"""What inequalities are for the numbers behind "for"."""
EQUIVALENT = table("holds hold exactly only precisely satisfied valid converges real defined positive")
"""Words before a condition that is all that a sentence says."""
INCLUSIVE = table("inclusive inclusively included including")
RESULTS = table("get obtain give yield be have find equal")
"""Verbs whose infinitive names the result, and not a purpose: to get 7."""
PEOPLE = table("i you he she it we they there")
SOLUTIONS = table(
    "roots root solutions solution zeros zeroes eigenvalues eigenvalue set two three only real distinct value values"
)
"""Words between "has" and what solves an equation."""
BEGINS_MAIN = table("this that the our his her its their that's we'd you'd i'd we're you're he's she's they're")
"""Words with which a main clause begins right behind a number: for n = 20 this gives."""
CONDITIONS = table("if when as once since because")
"""Words of a reason or condition that a main clause may follow without a comma."""
ADJUNCTS = table(
    "upon for in per after at from with by within on over during among between than each every before until out into"
)
AMOUNTS = table(
    "total sum value answer maximum minimum average mean median probability chance length area volume cost price "
    "remainder profit result number amount distance speed rate product difference"
)
DETERMINERS = table(
    "the other all these those his her its their our remaining first last next only about same original initial"
)
DENIES = table("none not never cannot n't isn't aren't wasn't doesn't don't can't neither")
BOUNDS = {"greater": ">", "more": ">", "larger": ">", "bigger": ">", "less": "<", "smaller": "<", "fewer": "<"}
SIGNS = {"大于": ">", "小于": "<"}
JOINS = table(", ; and or & either both")
MODIFIERS = table("real integer positive negative whole odd even distinct exact")
LIMITS: dict[tuple[str, ...], str] = {("at", "least"): "\\geq ", ("at", "most"): "\\leq "}
REALS = frozenset(("real", "reals"))
_BOUND_SIGNS = ("<", ">", "\u2264", "\u2265", "\\le", "\\ge", "\\lt", "\\gt")


def leads(words: Sequence[str]) -> bool:
    """Whether words end in a verb of results and its preposition: works out to, is left with."""
    last, verb = (words[-1], words[-2]) if len(words) > 1 else (words[-1] if words else "", "")
    if last > "\u3040":
        return last.endswith(LEADS_IN_SIGNS)
    return verb in LEADS_TO if last == "to" else verb in LEADS_WITH.get(last, ())


def has_bound(text: str) -> bool:
    """Whether a formula is an inequality."""
    return any(map(text.__contains__, _BOUND_SIGNS))


def has_relation(text: str) -> bool:
    """Whether a text has an equation, an inequality or a congruence in signs."""
    return any(map(text.__contains__, ("=", "\u2261", "\\equiv", "\u2208", "\\in ", *_BOUND_SIGNS)))


def or_equal(sign: str | None, near: tuple[str, ...]) -> str | None:
    """`sign`, which includes equality where the words say so: greater than or equal to."""
    return {">": "\\geq ", "<": "\\leq "}.get(sign, sign) if sign and "equal" in near else sign
