"""Questions in other words: synonyms from WordNet, kept where the embedder too finds them close."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path
from random import Random

from lemminflect import getAllInflections, getAllLemmas, getInflection

from rag.embedding import BundledEmbedding

PARTS = {"noun": "NOUN", "verb": "VERB", "adj": "ADJ"}
SENSES = 2  # how many of a word's senses, the most frequent first
CLOSE = 0.55  # cosine of two words; of words at random it is about 0.2
_WORD = re.compile(r"(?<![\w'-])[a-z]{4,}(?![\w'-])")
_KEPT = set(
    "what which when where whom whose does have been were many much long often according about that this "
    "there their person persons people into from with than name year type kind first last most part made take come "
    "give said".split()
)


class Synonyms:
    """`folder` holds WordNet's database files (Debian's package wordnet-base puts them into /usr/share/wordnet)."""

    def __init__(self, folder: Path, models: Path) -> None:
        self._embedding = BundledEmbedding(models)
        self._senses: dict[str, dict[str, list[str]]] = {part: {} for part in PARTS}
        self._weight: dict[str, dict[str, int]] = {part: {} for part in PARTS}
        self._words: dict[str, dict[str, list[str]]] = {part: {} for part in PARTS}
        for part in PARTS:
            self._read(folder, part)
        self.of = cache(self._of)

    def _read(self, folder: Path, part: str) -> None:
        for fields in _lines(folder / f"index.{part}"):
            senses = int(fields[2])
            self._senses[part][fields[0]] = fields[-senses:][:SENSES]
            self._weight[part][fields[0]] = int(fields[-senses - 1])  # how many of the senses were met in texts
        for fields in _lines(folder / f"data.{part}"):
            names = fields[4 : 4 + 2 * int(fields[3], 16) : 2]
            self._words[part][fields[0]] = [name for name in names if re.fullmatch("[a-z]+", name)]

    def _of(self, word: str) -> list[str]:
        """Other words for `word`, in its own inflection."""
        lemmas = [(part, lemma) for part, tag in PARTS.items() for lemma in getAllLemmas(word, upos=tag).get(tag, ())]
        if not lemmas:
            return []
        part, lemma = max(lemmas, key=lambda each: self._weight[each[0]].get(each[1], 0))
        inflections = getAllInflections(lemma, upos=PARTS[part])
        forms = [form for form, inflected in inflections.items() if word in inflected]
        found = dict.fromkeys(w for o in self._related(part, lemma) for f in forms for w in getInflection(o, f)[:1])
        others = [other for other in found if other != word]
        if not others:
            return []
        vectors = self._embedding.embed([word, *others])
        return [other for other, cosine in zip(others, vectors[1:] @ vectors[0], strict=True) if cosine > CLOSE]

    def _related(self, part: str, lemma: str) -> list[str]:
        """The lemmas of its first synsets for which that is one of the first senses too."""
        senses = self._senses[part].get(lemma, [])
        return [
            word
            for sense in senses
            for word in self._words[part].get(sense, [])
            if word != lemma and sense in self._senses[part].get(word, [])
        ]


def _lines(path: Path) -> list[list[str]]:
    with path.open(encoding="utf-8") as file:
        return [line.split() for line in file if not line.startswith(" ")]


def rephrase(question: str, synonyms: Synonyms, rng: Random) -> str:
    """Up to three of the question's words in other words; as it was where none is known."""
    spots = [m for m in _WORD.finditer(question) if m.group() not in _KEPT and synonyms.of(m.group())]
    for match in sorted(rng.sample(spots, min(len(spots), rng.choice([1, 2, 3]))), key=lambda m: -m.start()):
        question = question[: match.start()] + rng.choice(synonyms.of(match.group())) + question[match.end() :]
    return question
