"""Tells the responses of a problem apart: by model and sample, or in rows without a sample by their text."""

from __future__ import annotations

from collections.abc import Sequence

from libra_cli.stream.common_names import RESPONSE, common_name
from libra_cli.stream.rows import Fields, content_hash, record_id, response_name
from libra_cli.tasks.thinking import ThinkingCutter

Key = tuple[str, str]
"""Model and sample of a response, or the hash of its text; both empty for the problem itself."""
PROBLEM: Key = ("", "")
_HASH_DIGITS = 8


class TracedResponses:
    """The responses in rows; those that say the most are looked at first, as others may be about the same.

    With each row comes what it is wanted for: the name of a record.
    """

    def __init__(self, rows: Sequence[tuple[Fields, str]]) -> None:
        self._of_text: dict[tuple[str, str], list[Key]] = {}
        """By model and text, the responses of that text."""
        self._of_source: dict[str, Key] = {}
        """By `MODEL/SAMPLE`, or what training data call a row without a sample."""
        self._whole: dict[Key, str | None] = {}
        """Each response with all that was written, thinking included; None if no row has shown that."""
        self._by_text: set[Key] = set()
        self._cut = ThinkingCutter()
        plain = [row for row in rows if not _is_made_of(row[0]) and row[0].get("model") is not None]
        sampled = [row for row in plain if row[0].get("sample") is not None]
        for fields, wanted in (*sampled, *(row for row in plain if self._texts(row[0])[1] is not None)):
            self.keys(fields, wanted)

    def keys(self, fields: Fields, wanted: str) -> dict[Key, str]:
        """The responses that a row is about, or the problem, each with how certain that is, in words.

        Empty if the row is not about the record that is `wanted`: one without an id is found by its question, and so
        may be about another response of that.
        """
        if _is_made_of(fields):
            names = [name.removeprefix(f"{record_id(fields)}/") for name in fields["source"].split(" > ")]
            return {key: remark for name in names for key, remark in self._named(name).items()}
        if fields.get("model") is None:
            return {PROBLEM: ""}
        model, (texts, whole) = str(fields["model"]), self._texts(fields)
        if fields.get("sample") is not None:
            keys = [(model, str(fields["sample"]))]
        else:
            keys = self._of_the_text(model, texts, whole) or [(model, text_hash(fields))]
            name = response_name(fields).removeprefix(f"{record_id(fields)}/")
            if keys[0] not in self._whole:
                rest = wanted.partition("/")[2]
                if rest and not any(f"{one}/".startswith(f"{rest}/") for one in ("/".join(keys[0]), name)):
                    return {}
                self._by_text.add(keys[0])
            if len(keys) == 1:
                self._of_source.setdefault(name, keys[0])
        for key in keys:
            self._of_source["/".join(key)] = key
            self._whole[key] = self._whole.get(key) or whole
            for text in texts if len(keys) == 1 else ():
                known = self._of_text.setdefault((model, text), [])
                known += [] if key in known else [key]
        return dict.fromkeys(keys, self._remark(fields, keys))

    def is_sampled(self, key: Key) -> bool:
        """Whether a row says which sample of its model the response is."""
        return key[1] != "" and key not in self._by_text

    def name(self, record: str, key: Key) -> str:
        """`ID/MODEL/SAMPLE`; without a sample the hash of the text, if the model has other responses."""
        is_only = sum(key[0] == model for model, _ in self._whole) == 1
        parts = key[:1] if key in self._by_text and is_only else key
        return "/".join([record, *filter(None, parts)])

    def _remark(self, fields: Fields, keys: list[Key]) -> str:
        """How certain it is that a row is about each of the responses `keys`."""
        if len(keys) == 1:
            return "" if fields.get("sample") is not None or keys[0] in self._by_text else " (known by its text)"
        if keys[0] in self._by_text:
            return " (known by its text, which another response shares)"
        samples = [sample for _, sample in keys]
        return f" (known by its text, which the samples {', '.join(samples[:-1])} and {samples[-1]} share)"

    def _named(self, rest: str) -> dict[Key, str]:
        """The response of which training data say `MODEL/SAMPLE...`; all of the model without a sample, if they do not.

        Each with how certain it is.
        """
        found = max((name for name in self._of_source if f"{rest}/".startswith(f"{name}/")), key=len, default=None)
        of_model = [key for key in self._whole if key in self._by_text and f"{rest}/".startswith(f"{key[0]}/")]
        if found is not None and (found != self._of_source[found][0] or len(of_model) < 2):
            return {self._of_source[found]: ""}
        if len(of_model) > 1:
            return dict.fromkeys(of_model, f" (of this response of {of_model[0][0]} or of another one)")
        model, _, sample = rest.rpartition("/")
        return {of_model[0] if of_model else (model, sample): ""}

    def _of_the_text(self, model: str, texts: list[str], whole: str | None) -> list[Key]:
        """The responses of a model that have the first of these texts that one has, and thought nothing else."""
        for text in texts:
            found = [
                key
                for key in self._of_text.get((model, text), ())
                if whole is None or self._whole[key] in (None, whole)
            ]
            if found:
                return found
        return []

    def _texts(self, fields: Fields) -> tuple[list[str], str | None]:
        """What a response says, as it was written and after its thinking; and the first, if it is all for certain."""
        written = _written(fields)
        cut = [text for text in map(self._cut.response, written) if text is not None]
        is_whole = bool(written) and (isinstance(fields.get("response_with_cot"), str) or written[:1] != cut[:1])
        return list(dict.fromkeys([*written, *cut])), written[0] if is_whole else None


def _is_made_of(fields: Fields) -> bool:
    """Whether a row is training data, whose `source` says of which responses it is made."""
    is_training = "messages" in fields or "chosen" in fields or "completion" in fields
    return is_training and isinstance(fields.get("source"), str)


def text_hash(fields: Fields) -> str:
    """Names a response without a sample: a hash of all that was written, 8 hex digits."""
    return content_hash(next(iter(_written(fields)), None), _HASH_DIGITS)


def _written(fields: Fields) -> list[str]:
    """The texts of a row's response, whatever it calls them, the longest form first."""
    names = ["response_with_cot", "response"]
    if all(fields.get(name) is None for name in names):
        names = [other] if (other := common_name(fields, RESPONSE)) is not None else []
    return [text for name in names if isinstance(text := fields.get(name), str)]
