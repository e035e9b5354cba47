"""Sentence + the passage it cites -> does it give names or numbers other parts than the passage, or deny it?

All of it mechanical, by the order of words. What is *not* done: grammar; a name that takes another's part within one
long sentence goes unnoticed where the words between them differ.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence, Set
from difflib import SequenceMatcher
from itertools import pairwise

from rag import facts
from rag.aliases import PLACES

_PREPOSITIONS = frozenset("of in on at to for from by with near".split())
_NEGATIONS = frozenset("not no never neither nor none nobody nothing without cannot hardly unable".split())

_CLAUSE = re.compile(r"[;:,] | (?=while |whereas |but |and )| [–—-] ")

ELSEWHERE = 0.3
"""How much more of a sentence's words a clause with another number has if the sentence's number is misplaced."""

SAME_STATEMENT = 0.6
"""Share of a sentence's words, names apart, that a passage's sentence has if it is the one that is retold."""


def exchanged(sentence: str, premise: str, passage: str) -> list[str]:
    """Names that the sentence puts where the premise, a sentence of the passage, has others: "China for the US"."""
    common, sure = _small(sentence, passage), _sure(sentence, passage)
    ours, theirs = _masked(sentence, common), _masked(premise, common)
    pairs = [
        (our, their)
        for our, their in (*_replaced(ours, theirs), *_swapped(ours, theirs))
        if not our & their and (our | their) & sure and not _is_short_for(our, their) and not _is_short_for(their, our)
    ]
    return list(dict.fromkeys(f"{' '.join(sorted(our))} for {' '.join(sorted(their))}" for our, their in pairs))


def usurped(sentence: str, passage: str, context: str = "") -> list[str]:
    """The name that a sentence begins with, if the passage says the same of another: "Honda for Toyota".

    The passage's sentence has most of the words, but not that name; before them it has one that the sentence lacks.
    Names in ``context``, such as the author's, may begin any sentence.
    """
    common, sure = _small(sentence, passage), _sure(sentence, passage)
    ours = _masked(sentence, common)
    named = {key for _, keys in ours for key in keys}
    subject = next((keys for _, keys in ours[:2] if keys), frozenset())
    telling = {key for key, _ in ours if key != "§" and key not in facts.STOP} | (named - subject)
    if len(telling) < 2 or not subject & sure or subject & {word.key for word in facts.words(context)}:
        return []
    parts = [part for sentence in facts.sentences(passage) for part in sentence.split(";")]
    retold = max(parts, key=lambda part: facts.share(list(telling), set(facts.content(part))), default="")
    theirs = _masked(retold, common)
    places = [place for place, (key, keys) in enumerate(theirs) if {key, *keys} & telling]
    there = {key for key, _ in theirs}.union(*(keys for _, keys in theirs))
    if len(there & telling) < SAME_STATEMENT * len(telling) or subject & there:
        return []
    before = [(place, keys) for place, (_, keys) in enumerate(theirs[: places[0]]) if keys & sure]
    if before and before[0][1] & named:
        return []
    others = [(place, keys) for place, keys in before if not keys & (named | PLACES)]
    rivals = [
        keys for place, keys in others if not _after_preposition(theirs, place) and not _is_short_for(keys, subject)
    ]
    return [f"{' '.join(sorted(subject))} for {' '.join(sorted(rivals[-1]))}"] if rivals else []


def misplaced(sentence: str, passage: str) -> list[str]:
    """Numbers that the passage gives for something else: "112.6 per cent for 91.1 per cent".

    In the passage's sentence another clause, with another number of the kind, has more of the sentence's words than the
    clause of this number has.
    """
    ours = facts.numbers(sentence)
    figures = {key for written in ours.values() for key in facts.content(written)}
    wanted = [key for key in facts.content(sentence) if key not in figures]
    found = []
    for number, written in ours.items():
        if sum(facts.same_kind(number, other) for other in ours) > 1:
            continue
        homes, rivals = [0.0], [(0.0, "")]
        for clause in _clauses_around(number, passage):
            told, share = facts.numbers(clause), facts.share(wanted, set(facts.content(clause)))
            if number in told:
                homes.append(share)
            else:
                rivals += [(share, other) for rival, other in told.items() if facts.same_kind(number, rival)]
        share, other = max(rivals)
        if share - max(homes) >= ELSEWHERE:
            found.append(f"{written} for {other}")
    return found


def _clauses_around(number: facts.Number, passage: str) -> Iterator[str]:
    """The clauses of the passage's sentences that have the number."""
    for sentence in facts.sentences(passage):
        if number in facts.numbers(sentence):
            yield from _CLAUSE.split(sentence)


Masked = Sequence[tuple[str, frozenset[str]]]
"""A text's words as (key, nothing); each name, and names joined by "and", as ("§", their keys)."""


def _masked(text: str, common: Set[str]) -> Masked:
    """Names are here all capitalised words that are nowhere written small: some only ever begin a sentence."""
    masked: list[tuple[str, frozenset[str]]] = []
    run = facts.words(text)
    named = [word.text != word.text.lower() and word.key not in common and not _is_plain(word) for word in run]
    for place, word in enumerate(run):
        inside = bool(masked) and masked[-1][0] == "§"
        if word.text.casefold() in facts.TITLES:
            continue
        if named[place]:
            if inside:
                masked[-1] = ("§", masked[-1][1] | {word.key})
            else:
                masked.append(("§", frozenset([word.key])))
        elif not (inside and word.key in ("and", "or") and named[place + 1 : place + 2] == [True]):
            masked.append((word.key, frozenset()))
    return masked


def _sure(*texts: str) -> set[str]:
    """The words that are a name somewhere."""
    return {word.key for text in texts for span in facts.names(text) for word in span}


def _small(*texts: str) -> set[str]:
    """The words that are written small somewhere."""
    return {word.key for text in texts for word in facts.words(text) if word.text == word.text.lower()}


def _after_preposition(masked: Masked, place: int) -> bool:
    return place > 0 and masked[place - 1][0] in _PREPOSITIONS


def _is_plain(word: facts.Word) -> bool:
    return word.text.casefold() in facts.STOP


def _is_short_for(short: Set[str], long: Set[str]) -> bool:
    return sorted(key[0] for key in long) in [sorted(key) for key in short]


def _replaced(ours: Masked, theirs: Masked) -> Iterator[tuple[frozenset[str], frozenset[str]]]:
    """Names in the place of others in what is otherwise nearly the same: after the same words, or before them."""
    matcher = SequenceMatcher(None, [key for key, _ in ours], [key for key, _ in theirs], autojunk=False)
    blocks = matcher.get_matching_blocks()
    same = {block.a + i for block in blocks for i in range(block.size)}
    telling = [place for place, (key, _) in enumerate(ours) if key != "§" and key not in facts.STOP]
    if len(same.intersection(telling)) < 0.75 * len(telling):
        return
    for block in blocks:
        if not any(block.a <= place < block.a + block.size for place in telling):
            continue
        for i in range(block.size):
            our, their = ours[block.a + i][1], theirs[block.b + i][1]
            # "The plant in Ohio employs 750" doesn't contradict "Fuyao employs 750": Ohio isn't who employs.
            loose = i == 0 and _after_preposition(theirs, block.b)
            if our and not loose:
                yield our, their


def _swapped(ours: Masked, theirs: Masked) -> Iterator[tuple[frozenset[str], frozenset[str]]]:
    """Neighbouring names in the other order around the same word: "China sued the US" for "the US sued China"."""
    for first, between, second in _neighbours(ours):
        straight = crossed = False
        for third, middle, fourth in _neighbours(theirs):
            if between & middle - facts.STOP and ("by" in between) == ("by" in middle):
                straight |= bool(first & third and second & fourth)
                crossed |= bool(first & fourth and second & third)
        if crossed and not straight:
            yield first, second


def _neighbours(masked: Masked) -> Iterator[tuple[frozenset[str], frozenset[str], frozenset[str]]]:
    """Each name with the next one and the words between them."""
    places = [place for place, (key, _) in enumerate(masked) if key == "§"]
    for here, there in pairwise(places):
        yield masked[here][1], frozenset(key for key, _ in masked[here + 1 : there]), masked[there][1]


def negated(sentence: str, premise: str) -> bool:
    """Whether one of two sentences that say nearly the same in the same words denies what the other says."""
    ours, theirs = facts.words(sentence), facts.words(premise)
    matcher = SequenceMatcher(None, [word.key for word in ours], [word.key for word in theirs], autojunk=False)
    if sum(block.size for block in matcher.get_matching_blocks()) < 0.7 * len(ours):
        return False
    changes = [(ours[a:b], theirs[c:d]) for kind, a, b, c, d in matcher.get_opcodes() if kind != "equal"]
    return any(_denies(our) != _denies(their) for our, their in changes if len(our) <= 4 and len(their) <= 4)


def _denies(run: Sequence[facts.Word]) -> bool:
    said = [word.text.casefold().replace("’", "'") for word in run]
    return any(word in _NEGATIONS or word.endswith("n't") for word in said) and "only" not in said
