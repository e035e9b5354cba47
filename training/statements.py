"""Claims about passages, true and false, for the reader's `support`: as people labelled them, and made from sentences.

A false claim is made of the passage's own words: another name or number, two names in each other's place, one subject
with what is said of another, an opposite, a "could" that has become a "did". Each edit has a counterpart among the true
claims: made in the passage as well, or in words only.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from random import Random

from lemminflect import getInflection
from paraphrase import Synonyms, rephrase
from sources import Claim, Question
from swaps import candidates, disjoint_pairs, mentions, negate
from text import exchange, sentences, window, without

SOURCES = ("squad", "new_wiki", "timeqa", "qamr", "selqa", "covid_qa", "news")
_SUBJECT = re.compile(
    r"(?P<subject>(?:The )?[A-Z][\w.&’'-]*(?: (?:of |the )?[A-Z][\w.&-]*)*) "
    r"(?P<said>(?:is|was|are|were|has|had|will|can|could|may|[a-z]+ed|became|began|made|took|won|said) [^,;:]{15,})"
)
_MAYBE = re.compile(r"\b(?:could|may|might|would|will|can) (?P<verb>[a-z]{3,})\b(?! (?:been|have)\b)")


def support_examples(pairs: Iterable[Claim], rng: Random) -> Iterator[dict]:
    """Claim and premise; now and then the premise stands among sentences of other premises, as in a passage."""
    pairs = list(pairs)
    for item in pairs:
        premise = [item.premise]
        if rng.random() < 0.3:
            premise += [rng.choice(pairs).premise for _ in range(rng.randint(1, 3))]
            rng.shuffle(premise)
        yield supported(item.source, item.claim, " ".join(premise), item.entailed)


def supported(source: str, claim: str, premise: str, entailed: bool) -> dict:
    masked = {"spans": None, "relevant": None, "answerable": None, "support": int(entailed)}
    return {"source": source, "question": claim, "title": "", "passage": premise} | masked


def quoted_examples(questions: Sequence[Question], synonyms: Synonyms, rng: Random, count: int) -> Iterator[dict]:
    """Claims made from sentences of passages."""
    chosen = [question for question in questions if question.source in SOURCES]
    kinds = (said_of_another, turned, made_certain, negated, exchanged, reworded, left_out)
    for question in rng.choices(chosen, k=count):
        span = window(question.text, question.answers[:1], rng.choice([30, 60, 120]), rng)
        passage = question.text[slice(*span)]
        claims = [passage[slice(*s)] for s in sentences(passage) if 6 <= len(passage[slice(*s)].split()) <= 45]
        if not claims:
            continue
        claim = rng.choice(claims)
        for kind in rng.choices(kinds, [30, 20, 15, 10, 25, 25, 5], k=4):
            made = kind(claim, passage, rng)
            if made:
                said, premise, entailed = made
                said = rephrase(said, synonyms, rng) if kind is reworded or rng.random() < 0.2 else said
                yield supported("quoted", said, premise, entailed)
                break


Made = tuple[str, str, bool] | None
"""Claim, passage, whether the passage supports it; None where the edit can't be made."""


def said_of_another(claim: str, passage: str, rng: Random) -> Made:
    """What the passage says of one subject, under another's name or its own."""
    found = [match for span in sentences(passage) if (match := _SUBJECT.match(passage[slice(*span)]))]
    subjects = sorted({match["subject"] for match in found})
    if len(subjects) < 2:
        return None
    match = rng.choice(found)
    others = [other for other in subjects if not set(other.split()) & set(match["subject"].split())]
    if rng.random() < 0.5 or not others:
        return f"{match['subject']} {match['said'].rstrip(' .')}.", passage, True
    return f"{rng.choice(others)} {match['said'].rstrip(' .')}.", passage, False


def turned(claim: str, passage: str, rng: Random) -> Made:
    """Two names in each other's place, in the claim or on both sides."""
    pairs = disjoint_pairs(name for name in mentions(f"; {claim}")["name"] if name.lower() not in passage)
    if not pairs:
        return None
    pair = rng.choice(pairs)
    swapped = exchange(claim, *pair)[0]
    return (swapped, exchange(passage, *pair)[0], True) if rng.random() < 0.5 else (swapped, passage, False)


def made_certain(claim: str, passage: str, rng: Random) -> Made:
    """What could be, told as what was; on both sides it is the same again."""
    match = _MAYBE.search(claim)
    past = getInflection(match["verb"], "VBD") if match else ()
    if not match or not past:
        return None
    certain = f"{claim[: match.start()]}{past[0]}{claim[match.end() :]}"
    if rng.random() < 0.5:
        return certain, passage.replace(claim, certain), True
    return certain, passage, False


def negated(claim: str, passage: str, rng: Random) -> Made:
    denied = negate(claim, rng)
    if not denied:
        return None
    side = rng.choice(["claim", "passage", "both", "both"])
    edited = passage.replace(claim, denied) if side != "claim" else passage
    return (claim if side == "passage" else denied), edited, side == "both"


def exchanged(claim: str, passage: str, rng: Random) -> Made:
    """A word of the claim and another of its kind in each other's place: in the claim, in the passage or in both."""
    pairs = [pair for pair in candidates(claim, [passage], rng) if re.search(rf"\b{re.escape(pair[0])}\b", claim)]
    if not pairs:
        return None
    side = rng.choices(["claim", "passage", "both"], [40, 20, 40])[0]
    edited = exchange(passage, *pairs[0])[0] if side != "claim" else passage
    return (claim if side == "passage" else exchange(claim, *pairs[0])[0]), edited, side == "both"


def reworded(claim: str, passage: str, rng: Random) -> Made:
    return claim, passage, True


def left_out(claim: str, passage: str, rng: Random) -> Made:
    """A sentence that isn't in the passage any more."""
    start = passage.index(claim)
    rest, _ = without(passage, [(start, start + len(claim))], [])
    return (claim, rest, False) if rest else None
