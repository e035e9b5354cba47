"""Near misses: one word or name of a question, and another of its kind to put in its place."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from pathlib import Path
from random import Random

_MONTHS = "January February March April May June July August September October November December".split()
_DAYS = "Monday Tuesday Wednesday Thursday Friday Saturday Sunday".split()
_NUMBERS = "two three four five six seven eight nine ten eleven twelve twenty thirty forty fifty hundred".split()


def _opposites() -> dict[str, list[str]]:
    """Word -> words of the opposite or a rival meaning, from opposites.txt: a pair a line."""
    table: dict[str, list[str]] = {}
    for line in Path(__file__).with_name("opposites.txt").read_text().splitlines():
        one, other = line.split()
        table.setdefault(one, []).append(other)
        table.setdefault(other, []).append(one)
    return table


OPPOSITES = _opposites()
_NOUN_ENDS = r"(?=(?: (?:of|in|for|is|was|are|to|at|by|and|from|that)\b)|[?.,;])"
_KINDS = {
    "year": re.compile(r"\b(?:1\d{3}|20\d{2})\b"),
    "month": re.compile(rf"\b(?:{'|'.join(_MONTHS)})\b"),
    "day": re.compile(rf"\b(?:{'|'.join(_DAYS)})\b"),
    "number": re.compile(
        rf"(?<![\w.,])(?!(?:1\d{{3}}|20\d{{2}})\b)(?:\d[\d,.]*\d|\d)(?!\w)|\b(?:{'|'.join(_NUMBERS)})\b"
    ),
    "name": re.compile(r"(?<=[\w,;:\"'”’)] )(?:[A-Z][\w’'-]*[\w])(?: (?:of (?:the )?)?[A-Z][\w’'-]*\w)*"),
    "noun": re.compile(rf"\b(?:the|its|his|her|of|an) ([a-z]{{4,}}(?: [a-z]{{4,}})?){_NOUN_ENDS}", re.IGNORECASE),
    "noun_a": re.compile(rf"\b(?:a|by|in|on|with|for) ([a-z]{{4,}}){_NOUN_ENDS}"),
    "verb": re.compile(r"\b(?:was|were|been|be|is|are|first|has|have|had) ([a-z]{3,}ed)\b"),
    "asked": re.compile(r"^(?:what|which) ([a-z]{4,})(?= )", re.IGNORECASE),
}
_STOP = set("What Which Who When Where Why How The This That These Those His Her Its Their I It In On At".split())
_STOP |= set("which what many much same other people person there that this them those being first".split())


def mentions(text: str) -> dict[str, set[str]]:
    """What in `text` can be exchanged, by kind."""
    found = {kind: {m.group(m.lastindex or 0) for m in pattern.finditer(text)} for kind, pattern in _KINDS.items()}
    return {kind: {word for word in words if word not in _STOP} for kind, words in found.items()}


def candidates(question: str, nearby: Sequence[str], rng: Random) -> list[tuple[str, str]]:
    """Pairs (word of the question, another of its kind from `nearby`), in random order, opposites included."""
    here, pools = mentions(question), [mentions(text) for text in nearby]
    pairs = []
    for kind, words in here.items():
        others = sorted(set().union(*(pool[kind] for pool in pools)))
        rng.shuffle(others)
        for word in sorted(words):
            fitting = [other for other in others if _fits(kind, word, other, question)]
            pairs += [(word, other) for other in fitting[:2]]
            if kind in ("year", "number") and word.isdigit():
                pairs.append((word, str(max(1, int(word) + rng.choice([-20, -10, -3, -2, -1, 1, 2, 3, 5, 10])))))
            if kind in ("month", "day"):
                pairs.append((word, rng.choice([x for x in (_MONTHS if kind == "month" else _DAYS) if x != word])))
    for word in dict.fromkeys(re.findall(r"(?<!how )\b[a-z]+", question.lower())):  # how many, how old: not theirs
        pairs += [(word, rng.choice(OPPOSITES[word]))] * 2 if word in OPPOSITES else []
    rng.shuffle(pairs)
    return pairs


def disjoint_pairs(names: Iterable[str]) -> list[tuple[str, str]]:
    """Each pair of names of which neither contains the other."""
    ordered = sorted(names)
    return [(a, b) for a in ordered for b in ordered if a < b and a not in b and b not in a]


def _fits(kind: str, word: str, other: str, question: str) -> bool:
    """Neither may contain the other or stand in the question already; nouns agree in number and length."""
    low, high = word.lower(), other.lower()
    if low in high or high in low or high in question.lower() or low[:4] == high[:4]:
        return False
    if kind in ("noun", "noun_a", "asked"):
        return low.endswith("s") == high.endswith("s") and low.count(" ") == high.count(" ")
    return kind != "name" or abs(low.count(" ") - high.count(" ")) <= 1


_AUXILIARY = re.compile(r"\b(is|was|are|were|did|does|do|can|could|has|have|had|will|would|should)\b", re.IGNORECASE)


def negate(question: str, rng: Random) -> str | None:
    """The question with its first auxiliary negated: what was -> what wasn't, who did -> who never did."""
    match = _AUXILIARY.search(question)
    if match is None or question[match.end() : match.end() + 3].lower() in ("n't", " no"):
        return None
    word = match.group()
    negated = {"can": "can't", "will": "won't"}.get(word.lower(), word + "n't")
    if rng.random() < 0.3 and word.lower() in ("is", "was", "are", "were", "has", "have", "had"):
        negated = word + rng.choice([" not", " never"])
    return question[: match.start()] + negated + question[match.end() :]
