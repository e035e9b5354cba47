"""Questions for what a text may leave out: when, where, why, how something happened; what one asks of any name.

People ask for what an article nearly tells: it names a firm and not its founder, what was bought and not the price.
Both kinds are made here: a question whose answer is in the passage, by the form of its sentence, and the same question
of a passage in which no word hints at an answer.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from random import Random

from sources import Question
from swaps import OPPOSITES
from text import Span, sentences, window

from evals.forms import base_form, is_name

SOURCES = ("squad", "new_wiki", "timeqa", "news", "covid_qa")
LENGTHS = (30, 60, 100, 140)  # words
_NAME = r"[A-Z][\w&’'-]*(?: (?:of |& )?[A-Z][\w&-]*)*"
_DEED = re.compile(
    rf"(?P<subject>(?:The )?{_NAME})(?:, [^,;:]{{3,60}},)? (?P<verb>[a-z]+) (?P<rest>[^;:]{{12,}}?)(?:[;:]|,? [–—-] |$)"
)
_TIME = re.compile(
    r"\b(?:1\d{3}|20\d\d|January|February|March|April|May|June|July|August|September|October|November|December|"
    r"(?:Mon|Tues|Wednes|Thurs|Fri|Satur|Sun)day|today|tomorrow|yesterday|ago|(?:last|next|this|that|previous|following|"
    r"same) (?:\w+ )?(?:year|month|week|day|night|spring|summer|autumn|winter|quarter|season)|century|decade|centuries|"
    r"\d\ds|a\.?m\b|p\.?m\b|later|earlier|when|after|before|during|until|since)\b",
    re.IGNORECASE,
)
_REASON = re.compile(
    r"\b(?:because|since|due to|owing to|thanks to|in order|so that|so as|as a result|in response|amid|after|"
    r"to (?=[a-z])|for (?:the )?\w+ing|reason|aim|therefore|thus|caus|led to|driven|motiv|following|as part of|"
    r"hop(?:e|ing)|want|fear|concern|despite|as (?:it|they|he|she|the)\b|given)",
    re.IGNORECASE,
)
_MANNER = re.compile(r"\b(?:by|through|via|using|with|thanks to|means|method|way)\b", re.IGNORECASE)
_PLACE = re.compile(
    r"\b(?:in|at|near|from|across|outside|around|throughout) (?:the |its |a )?[A-Z]|"
    r"\b(?:there|here|headquarters|abroad|worldwide|home)\b|-based\b"
)
_AT_PLACE = re.compile(rf" in (?P<answer>(?:the )?{_NAME})$")
_AT_TIME = re.compile(
    r" (?:in|on|since) (?P<answer>(?:[A-Z][a-z]+day|(?:[A-Z][a-z]{2,8} )?(?:\d{1,2},? )?(?:1\d{3}|20\d\d)))$"
)
_FOR_REASON = re.compile(
    r",? (?P<answer>(?:because|in order to|so that|due to|thanks to|in response to|as part of) .+)$"
)
_BY_MEANS = re.compile(r" (?P<answer>by \w+ing .+)$")
_FOR_MONEY = re.compile(
    r" for (?:\w+ ){0,2}(?P<answer>[A-Z]{0,3}[$€£¥]\d[\d.,]*(?:bn|m|k| \w+illion)?|"
    r"[\d.,]+ (?:mln |\w+illion )?(?:dlrs|dollars|stg))$"
)
_MONEY = re.compile(
    r"[$€£¥]|\b(?:dollars?|euros?|pounds|yuan|yen|mln|dlrs|\w+illion|pric|cost|paid|pay)", re.IGNORECASE
)


@dataclass(frozen=True)
class Slot:
    """What of a deed may be told or not: how one asks for it (subject, verb, rest), how a sentence ends that tells it,
    and what hints in a passage that it is told somewhere."""

    asks: tuple[str, ...]
    told: re.Pattern[str]
    hint: re.Pattern[str]


SLOTS = (
    Slot(("When did {} {} {}?", "In which year did {} {} {}?", "On what date did {} {} {}?"), _AT_TIME, _TIME),
    Slot(("Where did {} {} {}?", "In which country did {} {} {}?", "In which city did {} {} {}?"), _AT_PLACE, _PLACE),
    Slot(("Why did {} {} {}?",), _FOR_REASON, _REASON),
    Slot(("How did {} {} {}?",), _BY_MEANS, _MANNER),
    Slot(("How much did {} pay to {} {}?", "How much did it cost {} to {} {}?"), _FOR_MONEY, _MONEY),
)


@dataclass(frozen=True)
class Attribute:
    """What one asks of any name N: the questions, the forms that tell it, and what hints that it is told."""

    asks: tuple[str, ...]
    told: tuple[str, ...]
    hint: re.Pattern[str]


def _hint(words: str) -> re.Pattern[str]:
    return re.compile(rf"\b(?:{words})", re.IGNORECASE)


ATTRIBUTES = (
    Attribute(
        ("Who founded N?", "Who is the founder of N?", "Who started N?", "By whom was N founded?"),
        (rf"N was (?:founded|created|established|set up|started) (?:in \d+ )?by (?P<answer>{_NAME})",
         rf"(?P<answer>{_NAME})(?:, [^,.]{{3,40}},)?,? (?:who )?(?:co-)?(?:founded|established|set up|created) N\b",
         rf"(?P<answer>{_NAME}), (?:the |a )?(?:co-)?founder of N\b"),
        _hint("found|creat|establish|set up|start|launch|began|begin|origin"),
    ),
    Attribute(
        ("When was N founded?", "In what year was N established?", "When was N set up?"),
        (r"N(?: was|,(?: which was)?) (?:founded|created|established|set up|formed|built|launched) (?:in|on) "
         r"(?P<answer>[\w, ]{0,12}\d{4})",),
        _hint("found|creat|establish|set up|start|launch|began|begin|origin|form|built|year-old"),
    ),
    Attribute(
        ("Where is N based?", "Where are the headquarters of N?", "In which city does N have its headquarters?"),
        (rf"N,? (?:which )?(?:is |was )?(?:based|headquartered) in (?P<answer>{_NAME})",
         r"(?P<answer>[A-Z]\w+)-based N\b"),
        _hint("based|headquarter|seat|offices?|located|home"),
    ),
    Attribute(
        ("How many people work for N?", "How many people does N employ?", "How many employees does N have?",
         "How large is N's workforce?"),
        (r"N,? (?:which )?(?:currently )?(?:employs|employed|has|had) (?P<answer>(?:[a-z]+ ){0,2}\d[\d,]*) "
         r"(?:people|workers|staff|employees)",),
        _hint("employ|staff|workers?|workforce|jobs?|people"),
    ),
    Attribute(
        ("How old is N?", "What is N's age?"),
        (r"N, (?:who is )?(?P<answer>\d\d)[,.]", r"(?P<answer>\d\d)-year-old N\b"),
        _hint(r"born|birth|aged?\b|years? old|year-old|, \d\d,|\("),
    ),
    Attribute(
        ("What was N's revenue?", "How much profit did N make?", "What are N's annual sales?", "How much is N worth?"),
        (r"N(?:'s|’s)? (?:\w+ ){0,3}(?:revenue|profits?|sales|turnover|earnings)s? (?:\w+ ){0,4}"
         r"(?P<answer>[A-Z]{0,3}[$€£]\d[\d.]*(?:bn|m| \w+illion))",),
        _hint("revenue|profit|sales|turnover|earn|income|sold|loss|worth|value|[$€£]|dlrs"),
    ),
    Attribute(
        ("Who owns N?", "Which company owns N?"),
        (rf"N,? (?:which )?(?:is |was )?owned by (?P<answer>{_NAME})",
         rf"N, a (?:subsidiary|unit|division) of (?P<answer>{_NAME})",
         rf"(?P<answer>{_NAME}), (?:which|the) own(?:s|er of) N\b"),
        _hint("own|stake|share|subsidiary|parent|unit|bought|acqui|belong|hold"),
    ),
    Attribute(
        ("At which university did N study?", "Where did N study?"),
        (rf"N (?:studied|graduated|was educated) (?:\w+ )?(?:at|from) (?:the )?(?P<answer>{_NAME})",),
        _hint("universit|college|school|stud|educat|degree|graduat|taught"),
    ),
    Attribute(
        ("Who is N married to?", "Who is the wife of N?", "Who is N's husband?"),
        (rf"N(?:'s|’s) (?:wife|husband),? (?P<answer>{_NAME})", rf"N (?:is|was) married to (?P<answer>{_NAME})",
         rf"N married (?P<answer>{_NAME})"),
        _hint("wife|husband|marri|spouse|partner|child|son|daughter|famil|father|mother|bride"),
    ),
)  # fmt: skip

Asked = tuple[str, str, list[Span]]
"""Question, passage, where the answer is in it (none: it is left out)."""


def slots(questions: Sequence[Question], rng: Random, count: int) -> Iterator[tuple[Question, Asked]]:
    """`count` questions, about half of them without an answer; each with the question whose text it is on."""
    texts = list({question.text: question for question in questions if question.source in SOURCES}.values())
    told = left_out = 0
    while told + left_out < count:
        question = rng.choice(texts)
        passage = question.text[slice(*window(question.text, [], rng.choice(LENGTHS), rng))]
        made = rng.choices((of_deed, of_name), (6, 1))[0](passage, rng)
        if made and (made[2] or left_out <= 1.2 * told):
            told, left_out = told + bool(made[2]), left_out + (not made[2])
            yield question, made


def of_deed(passage: str, rng: Random) -> Asked | None:
    """When, where, why, how, for how much somebody did what a sentence tells."""
    spans = sentences(passage)
    index = rng.randrange(len(spans))
    left, right = spans[index]
    deed = _DEED.match(passage[left:right].rstrip(' ."”'))
    base = base_form(deed["verb"]) if deed else None
    if not deed or not base or deed["rest"].startswith(("by ", "that ")) or not is_name(deed["subject"], passage):
        return None
    near = passage[spans[max(0, index - 1)][0] : spans[min(len(spans) - 1, index + 1)][1]]
    for slot in rng.sample(SLOTS, len(SLOTS)):
        ask, subject, rest = rng.choice(slot.asks), deed["subject"], deed["rest"]
        if told := slot.told.search(rest):
            start = left + deed.start("rest") + told.start("answer")
            if 2 <= len(rest[: told.start()].split()) <= 18:
                asked = ask.format(subject, base, rest[: told.start()])
                return asked, passage, [(start, start + len(told["answer"]))]
        elif 2 <= len(rest.split()) <= 18:
            if not slot.hint.search(near):
                return ask.format(subject, base, rest), passage, []
            if base in OPPOSITES and rng.random() < 0.3:
                return ask.format(subject, rng.choice(OPPOSITES[base]), rest), passage, []
    return None


def of_name(passage: str, rng: Random) -> Asked | None:
    """What one asks of any name: of one that the passage tells it of, or of another in the passage."""
    names = [match.group() for match in re.finditer(rf"(?<=[a-z,] )(?:the )?{_NAME}", passage)]
    names = [name for name in names if len(name) > 4 and not _TIME.search(name)]
    order = rng.sample(ATTRIBUTES, len(ATTRIBUTES))
    for attribute in order:
        for form in attribute.told:
            general = form.replace("N", rf"(?P<name>(?:the )?{_NAME})", 1)
            if told := re.search(rf"(?<![\w’'-]){general}", passage):
                others = [name for name in names if not _akin(name, told.group())]
                if others and rng.random() < 0.6:
                    return rng.choice(attribute.asks).replace("N", rng.choice(others)), passage, []
                return rng.choice(attribute.asks).replace("N", told["name"]), passage, [told.span("answer")]
    if names and rng.random() < 0.2 and not order[0].hint.search(passage):
        return rng.choice(order[0].asks).replace("N", rng.choice(names)), passage, []
    return None


def _akin(name: str, text: str) -> bool:
    return any(word in text for word in name.split() if word[0].isupper())
