"""Decides from the words around a mark whether a judge asserts it: `The two do not match, so the verdict is [[Wrong]].`

A mark may be denied, quoted, conditional or taken back in any words of any language, so that no list of such words is
ever complete. What leads up to a mark is therefore read the other way round: it must consist of words that only
introduce a verdict (`_LEADING`). What follows must be an end, a reason or a new sentence. Text whose language is not
English or Chinese is not understood: nothing is asserted by it, and nothing before it in the same sentence.
"""

from __future__ import annotations

import re

NEAR_CHARS = 512
"""How far a sentence is followed back; what is longer names no verdict."""
_LETTER = re.compile(r"[^\W\d_]")

_NAMES = (
    r"verdict|judge?ment|grade|score|rating|decision|conclusion|evaluation|assessment|result|outcome|choice|ruling"
    r"|answer|final|overall|correct|wrong|incorrect|better|best|worse|tied?|equal|equally"
    r"|stronger|superior|preferable|preferred|total|average|output|label"
    r"|urteil|bewertung|note|ergebnis|entscheidung|fazit|jugement|évaluation|décision|veredicto|puntuación|calificación"
)
_NAMES_IN_SIGNS = "结论|判断|判定|裁决|评判|评分|评级|打分|得分|分数|评价|结果|答案|最终"
_BESIDE_NAMES = (
    r"i(?: would|['’]d| will|['’]ll| must) (?:give|rate|grade|score|say|judge|assign|award|choose|go with|settle on)"
    r"|(?:that|this) (?:being )?said|as such|neither (?:response )?is (?:much |clearly )?better|must be|settle on"
    r"|go with|deserves|earns|receives|gets|merits|warrants|wins|prefer|fits|falls (?:under|into)|corresponds|weighted"
    r"|(?:it|that|this)['’]s|they|rounded|rounding|rounds|down|up|nearest|whole|(?:number|integer)(?: gives)?"
    r"|approximately|roughly"
    r"|for (?:assistant|response|the|this|it|correctness)|in (?:conclusion|summary|short|sum|total|fact|favou?r)"
    r"|my|the|our|this|that|a|an|is|are|it|i|as|to|of|and|so|thus|hence|therefore|consequently|accordingly|finally"
    r"|ultimately|based on|after|above|careful|closer|analysis|comparison|reasoning|consideration|review|give|rate"
    r"|judge|mark|marking|assign|award|choose|select|conclude|marked|graded|rated|judged|responses?|assistants?|solution|candidate"
    r"|[ab](?:['’]s)?|both|than|much|slightly|significantly|clearly|a little|little|good|right|makes?|making"
    r"|correctness|mein|das|die|der|ist|lautet|antwort|endgültige[srn]?|abschließende[srn]?|mon|le|la|est|finale?"
    r"|réponse|mi|el|es|respuesta"
)
_BESIDE_NAMES_IN_SIGNS = (
    "因此|所以|综上所述|综上|故|我|这个|该|此|本|回答|回复|解答|应为|判为|给出|给|是|为|的|正确|错误"
)
_NAME = re.compile(rf"\b(?:{_NAMES})\b|{_NAMES_IN_SIGNS}", re.IGNORECASE)
_LEADING = re.compile(rf"\b(?:{_NAMES}|{_BESIDE_NAMES})\b|{_NAMES_IN_SIGNS}|{_BESIDE_NAMES_IN_SIGNS}", re.IGNORECASE)

_SENTENCE_END = re.compile(r"(?<!\be\.g)(?<!\bi\.e)(?<!\bvs)[.!?;](?=[\s*_\"”)])|[。！？；]|\n(?![ \t]*[a-z])")
_CONCLUSION = r"(?:\b(?:which makes|making|so|thus|hence|therefore|consequently)\b|因此|所以|故|综上)"
_CONCLUDES = re.compile(_CONCLUSION)
_CLAUSE_END = re.compile(rf"[,:，：—–]|\s-\s|{_CONCLUSION}")
_DEPENDS = re.compile(
    r"\b(?:if|unless|whether|provided|assuming|suppos\w+|would|could|might|should|had|were|not$|example|such as)\b"
    r"|\be\.g\."
    r"|如果|假如|若|倘|除非|是否|例如|比如|本应|原本",
    re.IGNORECASE,
)
"""Before a verdict in its sentence: it depends on something, or is an example."""
_REPORTS = re.compile(
    r"\b(?:sa(?:y|id|ying)\w*|claim\w*|wr(?:ite|ote|itten)\w*|writing|tell\w*|told|thinks?|thought|argu\w+|believ\w+"
    r"|read(?:s|ing)?|states?|stated|stating|ask\w*|demand\w*|instruct\w*|according|rather|instead|refus\w*|reject\w*|den(?:y|ies|ied)"
    r"|ignor\w*|tr(?:y|ies|ied|ying)|attempt\w*|contain\w*|inject\w*|manipulat\w*|pretend\w*|embed\w*|quot\w+|form(?:at)?"
    r"|cannot|never|neither|nor|than|follow\w*)\b|n['’]t\b|写|说|声称|认为|要求|引用|格式|不能|不是|拒绝",
    re.IGNORECASE,
)
"""Before a verdict in its sentence, in another clause: the verdict may be denied, or somebody else's."""

_COMPARES = re.compile(
    r"\b(?:equal|equals|match|matches|same|agrees?|identical|equivalent|differs?|different|correct|incorrect|wrong|right)\b"
    r"|一致|相同|相等|等于|不同|正确|错误",
    re.IGNORECASE,
)
"""Before a mark that follows a colon or a comma at once: what the verdict is drawn from."""

_SHOWS = re.compile(
    r"\b(?:print\w*|show\w*|display\w*|output(?:s|ted|ting)|end(?:s|ed|ing)|clos(?:es|ed|ing)|begin\w*|start\w*|put\w*"
    r"|insert\w*|append\w*|add(?:s|ed|ing)?|answer(?:s|ed) with)"
    r"(?:[^\w\n]{1,4}(?:the|this|that|a|an|only|just|with|in|by|on|it|its|own|following|lines?|words?|text|string)\b){0,6}"
    r"[^\w\n]{0,16}$|\b(?:lines?|words?|string)[^\w\n]{0,16}$|(?:输出|打印|显示|不是|并非)[^\w\n]{0,16}$",
    re.IGNORECASE,
)
"""Above a mark on a line of its own: it may be shown rather than given."""
_ENDS_IN_WORD = re.compile(r"[^\W\d_]{2}[\s*_`\"'”’)]*$")

_MARKUP = r"[ \t\u00a0*_`\"'“”’)}$|\\]{0,16}"
_OUT_OF = re.compile(rf"{_MARKUP}(?:/|out of)[ \t]?[0-9]{{1,3}}")
_OPEN_END = re.compile(r"[?？]|~~")
_END = re.compile(rf"{_MARKUP}[.!。！]+|{_MARKUP}[ \t]+{_MARKUP}(?=[A-Z0-9#\[])")
_REASON = re.compile(
    rf"{_MARKUP}[,;，；:：—–-]?\s{{0,4}}(?:(?:because|since|given that|due to|that is|i\.e\.)(?!\w)|因为|由于|即)"
)
_REMARK = re.compile(rf"{_MARKUP}(?:[:：;；—–(（]|-+\s)\s?(?!(?:not?|is|says|means?)\b)", re.IGNORECASE)
_ASIDE = re.compile(rf"{_MARKUP},?[ \t]{{1,4}}(?:but|and|as|with|though|although|even though|while|albeit)\b")
"""Behind a rating or a comparison, which words may qualify."""

_GOES_ON = re.compile(
    r"[ \t*_`]*(?:\n[ \t*_`]*)?"
    r"(?:is|are|was|would|but|if|unless|or|not|which|means?|says|does|had|has|can|cannot|only)\b"
)
"""Right after a verdict, in small letters: its sentence goes on."""

_CHANGE = (
    r"(?:wait\b|hold on|actually|on (?:second|further) thought|(?:up)?on (?:closer|further|reflection)"
    r"|(?:up)?on re-?(?:read|consider|check|view|exam|flect)"
    r"|scratch that|strike that|never ?mind|hmm|oops|sorry|apolog|my mistake|correction\b"
    r"|(?:edit|update|p\.?s\.?)\s?\d?\s?[:：,—–-]|no[,.!:;—–-]|nope|nee\b|not (?:so|quite|really|correct|wrong)"
    r"|rather,|or rather|let me (?:re\w+|think again|correct|double)"
    r"|等等|等一下|不对|不，|更正|订正|修正|纠正|抱歉|对不起|编辑|更新|补充|重新|其实)"
)
_CHANGES = re.compile(
    rf"(?:^|[.!?。！？\n—–])[\s*_`>#\"'“(（\[:,-]{{0,8}}(?:but |and |oh,? )?{_CHANGE}"
    r"|\bi (?:mis\w+|was wrong|was mistaken|made an? (?:mistake|error)|stand corrected|withdraw|retract|revise"
    r"|take (?:it|that) back|change my|must correct|have to correct|reject)\b|我(?:错了|弄错|看错|算错|收回)",
    re.IGNORECASE,
)
"""In the text after a verdict: the judge changes its mind."""
_TURNS = re.compile(
    r"[\s*_`\"'“”’(（),.:—–-]{0,12}(?:(?:however|nevertheless|but|yet|unless|if(?! you)|or|would(?! you)|could|might"
    r"|assuming|provided)\b|但|不过|然而|可是)",
    re.IGNORECASE,
)
"""Right after a verdict: the sentence or the next one turns against it."""
_LEAVES_OPEN = re.compile(
    r"(?:^|[.!?\n])[\s*_`>#\"'“(-]{0,8}(?:however|but|yet|nevertheless|nonetheless|still|though|although|unless|except"
    r"|assuming|provided|or|may ?be|perhaps|probably|possibly|if (?!you\b))\b"
    r"|\b(?:not sure|unsure|uncertain|unclear|borderline|arguabl[ey]|ambiguous|doubt\w*|if|unless)\b(?! you\b)"
    r"|[。！？\n](?:但|不过|然而|可是|如果|若|除非)",
    re.IGNORECASE,
)
"""In the text after a verdict that becomes a label: the label is left open."""
_QUESTION = re.compile(r"[^.!?。！？\n]{0,200}[?？]")
_READER = re.compile(r"\byou\b|您|你", re.IGNORECASE)

_ENGLISH = re.compile(
    r"\b(?:the|is|of|and|are|that|this|it|its|because|since|with|for|which|both|from|has|does|not|yes|equals?|differs?|match(?:es)?"
    r"|only|there|were|than|response|answer|reference|assistant|explanation|evaluation|reasoning|verdict|correct|wrong"
    r"|better|step|all|reasons?|mistakes?|missing|value|working|note|further|please|know|question|problem|final)\b",
    re.IGNORECASE,
)
_HAN, _KANA = re.compile(r"[\u4e00-\u9fff]"), re.compile(r"[\u3040-\u30ff]")
_NO_WORDS = re.compile(
    r"\\[a-zA-Z]+|\[\[[ *_`]{0,8}[cC]onfidence[^\]\n]{0,40}\]\]|\b[cC]onfidence\W{1,8}[\d.]+"
    r"|</?[a-z_]{1,20}>|<\|[a-z_]{1,40}\|>|\b([A-Z])\1{0,9}\b"
)
"""Letters that are no words: commands of LaTeX, a stated confidence, tags, the letter of an option."""


def without_words(text: str) -> bool:
    """Whether no words stand in a text: blanks, numbers, punctuation, markup, a stated confidence."""
    return _LETTER.search(_NO_WORDS.sub(" ", text)) is None


def only_leads(text: str) -> bool:
    """Whether all words of a text, if any, are such as introduce a verdict."""
    return without_words(_LEADING.sub(" ", text))


def names_verdict(text: str) -> bool:
    """Whether a text is without words, or introduces a verdict by name: `**Final verdict:**`."""
    return without_words(text) or (only_leads(text) and _NAME.search(text) is not None)


def leads_to_verdict(before: str) -> bool:
    """Whether the text before a mark, at the end of its sentence, introduces it as the judge's own verdict."""
    line = before.rpartition("\n")[2].rstrip(' \t*_`"“')
    if line.count('"') % 2 or line.count("“") > line.count("”"):  # somebody else's words
        return False
    ends = [*_SENTENCE_END.finditer(before)]
    sentence = before[ends[-1].end() :] if ends else before
    if only_leads(sentence):
        return True
    clauses = [*_CLAUSE_END.finditer(sentence)]
    if not clauses or not only_leads(sentence[clauses[-1].end() :]):
        return False
    other, clause = sentence[: clauses[-1].start()], sentence[clauses[-1].start() :]
    if not _is_understood(other) or _DEPENDS.search(other):
        return False
    if _CONCLUDES.search(clause):
        return True
    return not _REPORTS.search(other) and not (without_words(clause) and not _COMPARES.search(other))


def tells_words(line: str) -> bool:
    """Whether the line above a mark may show it, deny it, or give it as somebody else's words."""
    return any(pattern.search(line) for pattern in (_REPORTS, _DEPENDS, _SHOWS))


def is_statement(line: str) -> bool:
    """Whether a line without a full stop is whole as it stands: `5 and 5.0 match`, `- Response: 5`."""
    return not tells_words(line) and not (_ENDS_IN_WORD.search(line) and not _COMPARES.search(line))


def follow_verdict(after: str, against: re.Pattern[str] | None, *, is_quoted: bool) -> bool:
    """Whether the text after a mark, from its own line on, lets it stand.

    Args:
        against: words that speak against the verdict, where it becomes a label; this is read more strictly.
        is_quoted: whether the mark stands in a quotation or a block of code.
    """
    graded = _OUT_OF.match(after)
    after = after[graded.end() :] if graded else after
    line, newline, below = after.partition("\n")
    end = _END.match(after)
    remark = _REASON.match(after) or _REMARK.match(after) or (None if against else _ASIDE.match(after))
    if without_words(line):
        begins, rest = not _OPEN_END.search(line), newline + below
    else:
        begun = end or remark
        begins, rest = begun is not None, after[begun.end() if begun else 0 :]
    if not begins or without_words(rest):
        return begins
    goes_on = (end or not remark) and _GOES_ON.match(rest)
    is_explanation = _is_understood(after) and not (is_quoted or goes_on or _CHANGES.search(rest))
    if against is None or not is_explanation:
        return is_explanation and not _TURNS.match(rest)
    asks = any(not _READER.search(question) for question in _QUESTION.findall(rest))
    return not (asks or _TURNS.match(rest) or _LEAVES_OPEN.search(rest) or against.search(rest))


def _is_understood(text: str) -> bool:
    """Whether a text has no words, or words that show that it is English or Chinese."""
    if without_words(text) or _ENGLISH.search(text):
        return True
    return _HAN.search(text) is not None and _KANA.search(text) is None
