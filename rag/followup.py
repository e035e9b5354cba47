"""A follow-up and its history -> a question that stands alone, without an LLM.

Three kinds of follow-up are told apart: one with a word that points back ("how many workers does *it* employ?"),
whose antecedent is put in its place; one that exchanges a part of the question before ("what about Honda?"); and a
bare one ("Why?"), which is joined to the question before it. What is *not* done: true coreference resolution; where
several antecedents are possible, the most recent fitting name is taken.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

History = Sequence[tuple[str, str]]
"""Earlier turns, oldest first: (question, answer)."""

_LEAD = re.compile(r"^\s*(?:(?:and|but|so|ok|okay|also|then)\b[\s,]*)+", re.IGNORECASE)
_ABOUT = re.compile(r"^(?:what|how) about (?P<new>.+?)\s*\??$", re.IGNORECASE)
_FRAGMENT = re.compile(r"^(?:(?:in|at|for|by|from|to|of|with|on)\s)?(?P<new>[^?]{1,60}?)\s*\??$", re.IGNORECASE)
_PERSON = re.compile(r"\b(he|she|him|his|her|hers)\b", re.IGNORECASE)
_THING = re.compile(r"\b(it|its|they|them|their|theirs)\b", re.IGNORECASE)
_THERE = re.compile(
    r"(?<!is )(?<!are )(?<!was )(?<!were )(?<!be )\bthere\b(?! (?:is|are|was|were|be)\b)", re.IGNORECASE
)
_THAT = re.compile(
    r"\b(?:(?<=about )|(?<=of )|(?<=for )|(?<=after )|(?<=before )|(?<=with )|(?<=to )|(?<=by )|(?<=do )|(?<=does )|"
    r"(?<=is )|(?<=was )|(?<=did ))(?:this|that|these|those)\b(?=\s*(?:\?|$|[,.]|happen|work|mean|help|cost|change))"
    r"|\b(?:this|that|these|those|the same|the) (?:plant|factory|facility|company|firm|project|deal|agreement|article|"
    r"piece|author|country|city|proposal|policy|idea|plan|view|investment|person|expert|analyst|event|meeting)s?\b",
    re.IGNORECASE,
)
_BARE = re.compile(
    r"^(?:why|why not|how|when|where|who|how come|how so|by whom|since when|says who|how much|how many|which one|"
    r"which ones|what else|who else|where exactly|tell me more|more|go on|and|(?:in|at|for|on|by|with|to|from|of) "
    r"(?:what|which) \w+)\s*\??$",
    re.IGNORECASE,
)
_SENTENCE = re.compile(
    r"^(?:who|what|when|where|which|why|how)\b|\b(?:is|are|was|were|do|does|did|has|have|had|can|could|will|would|"
    r"should|may|might|say|says|said)\b",
    re.IGNORECASE,
)
_NAME = re.compile(
    r"(?:\b(?:[A-Z][\w&.-]*[A-Z\d][\w&.-]*|[A-Z][\w&-]+)(?:['’]s)?(?:\s+(?:of|the|and|for)\s+(?=[A-Z]))?\s*)+"
)
_OPENERS = frozenset(
    "who what when where which why how is are was were do does did has have had can could will would should may might "
    "in at on by for from to of with and but so the a an according tell give list name explain describe "
    "he she it they we i you this that these those there his her its their".split()
)
_PLACE = re.compile(r"\b(?:in|at|near|to|from) ((?:[A-Z][\w.-]+(?:,? (?=[A-Z]))?)+)")
_MARKER = re.compile(r"\s*\[\d+\]")
_YEAR = re.compile(r"\b(?:19|20)\d\d\b")
_ASKING = "(?:who|whose|what|which|how|where|when|why)"
_TWO = re.compile(
    rf"^(?P<first>(?:\w+ )?{_ASKING}\b(?:\W+\w+){{3,}}?)\W+and (?P<second>{_ASKING}\b(?:\W+\w+){{2,}}\W*)$",
    re.IGNORECASE,
)
_QUOTED = re.compile(r"[\"“][^\"”]{8,}[\"”]")
_WRITTEN = re.compile(r"^who (?:wrote|authored|penned) (?P<work>[^?]+)", re.IGNORECASE)
_OWNER = re.compile(r"\b(?:[A-Z][\w&.-]*\s?)+(?:['’]s|(?<=s)['’])")
_POSSESSED = re.compile(r"['’]s(?:\s+(?!is\b|are\b|was\b|in\b|at\b|on\b|of\b|to\b|for\b|and\b|by\b)[a-z][\w-]*){1,3}")


def standalone(question: str, history: History) -> str:
    """The question as it would be asked without its history; unchanged if it doesn't lean on it.

    >>> standalone("And how much was invested there?", [("Where is BYD's plant?", "In Lancaster [1].")])
    'how much was invested in Lancaster?'
    """
    if not history:
        return question
    *earlier, (before, answer) = history
    answer = _MARKER.sub("", answer)
    before = standalone(before, earlier)
    core = _LEAD.sub("", question).strip() or question.strip()
    if _BARE.match(core):
        return f"{before.rstrip(' ?')} – {core}"
    if about := _ABOUT.match(core):
        return _exchange(before, about["new"])
    if core != question.strip() and not _SENTENCE.search(core) and (fragment := _FRAGMENT.match(core)):
        return _exchange(before, _point_back(fragment["new"], before, answer, None) or fragment["new"])
    return _point_back(core, before, answer, _carried(before, earlier)) or question


def parts(question: str) -> list[str]:
    """The questions that a question consists of: "How many work there, and who owns it?" asks two."""
    both = _TWO.match(question.strip())
    return [f"{both[name].rstrip(' ,?')}?" for name in ("first", "second")] if both else [question]


def context(question: str, history: History) -> list[str]:
    """What to search for besides a follow-up that names nothing itself: the question with the one before it."""
    if not history or names(question):
        return []
    return [f"{standalone(history[-1][0], history[:-1])} {question}"]


def _carried(before: str, earlier: History) -> str | None:
    """The topic that the question before itself took over from the turns before it, if it did."""
    if not earlier:
        return None
    *older, (first, answer) = earlier
    topic = _topic(standalone(first, older), answer)
    return topic if topic in before else None


def _exchange(before: str, new: str) -> str:
    """The question before, with ``new`` for what corresponds to it: a year for a year, a name for a name."""
    if _YEAR.fullmatch(new) and _YEAR.search(before):
        return _YEAR.sub(new, before, count=1)
    old = names(before)
    if old and new[:1].isupper():
        owner = _OWNER.search(before, before.find(old[0]))
        return before.replace(owner[0] if owner else old[0], _bare(new) + "’s" if owner else new, 1)
    return f"{before.rstrip(' ?')} – what about {new}?"


def _point_back(question: str, before: str, answer: str, carried: str | None) -> str | None:
    """The question with the antecedent in place of the words that point back; None if there are none."""
    own = names(question)
    topic = carried or _topic(before, answer)
    person = _person(before, answer)
    if (match := _PERSON.search(question)) and person and not (own and _possessive(match)):
        return _replace(question, match, person)
    if (match := _THERE.search(question)) and not own:
        place = _place(before, answer)
        return _replace(question, match, f"in {place}") if place else f"{question.rstrip(' ?')} in {topic}?"
    if (match := _THING.search(question)) and not (own and _possessive(match)):
        return _replace(question, match, topic)
    if match := _THAT.search(question):
        return f"{question.rstrip(' ?')} ({topic})?"
    return None


def _possessive(match: re.Match[str]) -> bool:
    return match[0].lower() in ("its", "their", "his", "her")


def _replace(question: str, match: re.Match[str], antecedent: str) -> str:
    if match[0].lower() in ("its", "their", "his", "hers", "theirs") and not antecedent.endswith(("'s", "’s", "s'")):
        antecedent += "’s"
    return question[: match.start()] + antecedent + question[match.end() :]


def names(text: str) -> list[str]:
    """Capitalised names in a text, in order, without a question's opening words."""
    found = []
    for match in _NAME.finditer(text):
        words = match[0].split()
        while words and words[0].lower().removesuffix("'s").removesuffix("’s") in _OPENERS:
            words = words[1:]
        if words:
            found.append(" ".join(words).strip(" .,"))
    return found


def _bare(name: str) -> str:
    """A name without its possessive ending."""
    return re.sub(r"(?<=s)['’]$|['’]s$", "", name)


def _new_names(before: str, answer: str) -> list[str]:
    return [name for name in names(answer) if name.lower() not in before.lower()]


def _topic(before: str, answer: str) -> str:
    """What the turn before was about: what a which question found, else the thing that it quoted or named."""
    if quoted := _QUOTED.search(before):
        return quoted[0]
    if written := _WRITTEN.search(before):
        return written["work"]
    if before.lower().startswith(("who ", "which ")) and (found := _new_names(before, answer)):
        return _bare(found[0])
    if found := names(before):
        name = found[0]
        at = before.find(name)
        if name.endswith(("'s", "’s")) and (owned := _POSSESSED.match(before, at + len(name) - 2)):
            return name[:-2] + owned[0]
        return _bare(name)
    return _LEAD.sub("", before).rstrip(" ?")


def _person(before: str, answer: str) -> str | None:
    """The person that the turn before was about: named in full in the question, else found by it."""
    asked, found = [[_bare(name) for name in names(text)] for text in (before, answer)]
    full = [name for name in asked + found if " " in name]
    return next(iter(full or asked or found), None)


def _place(before: str, answer: str) -> str | None:
    texts = (answer, before) if before.lower().startswith("where") else (before, answer)
    return next((match[1].strip(" ,.") for text in texts if (match := _PLACE.search(text))), None) or next(
        (name for name in names(answer) if before.lower().startswith("where")), None
    )
