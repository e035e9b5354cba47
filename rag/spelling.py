"""A question's slips of the finger, mended by the words of the passages that it found all the same."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from difflib import get_close_matches

from rag.types import Passage

SHORTEST = 5
"""Letters of the shortest word that is mended: shorter ones are too like each other."""

ALIKE = 0.85
"""How like a word has to be (``difflib``'s ratio): one letter of seven left out, put in or exchanged with the next."""

_WORD = re.compile(r"[^\W\d_]+")
_INFLECTION = re.compile(r"(?:e?s|e?d|ing)$")


def mended(question: str, passages: Sequence[Passage], known: Callable[[str], bool]) -> str:
    """The question, each word that is neither ``known`` nor in a passage replaced by the passages' word nearly like it.

    A word that begins with another letter, or differs only by its ending, is no slip. Nothing is changed where the
    passages hold no such word.
    """
    text = "\n".join(f"{passage.heading}\n{passage.text}" for passage in passages)
    words = {word.lower(): word for word in reversed(_WORD.findall(text))}
    stems = {_INFLECTION.sub("", word) for word in words}

    def mend(found: re.Match[str]) -> str:
        word = found.group().lower()
        if len(word) < SHORTEST or known(word) or word in words or _INFLECTION.sub("", word) in stems:
            return found.group()
        near = get_close_matches(word, [other for other in words if other[0] == word[0]], 1, ALIKE)
        return words[near[0]] if near else found.group()

    return _WORD.sub(mend, question)
