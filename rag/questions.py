"""What a question asks for: sentences or a fact, a list, a reason, a speaker, a number, a time; and its topic."""

from __future__ import annotations

import re

from rag import facts

_AUX = (
    r"(?:is|are|was|were|do|does|did|has|have|had|can|could|will|would|should|may|might|must|isn[’']t|aren[’']t|don[’']t|"
    r"doesn[’']t|didn[’']t)\b"
)
_START = r"^\W*(?:according to [^,]{2,60}, ?)?(?:(?:and|but|so) )?"
_LONG = re.compile(
    rf"{_START}(?:why|how[’']?s|how (?:come\b|to\b|{_AUX})|explain|describe|summari[sz]e|"
    r"compare|list|name|tell me|discuss|outline)\b|"
    r"\bwhat (?:does|do|did|has|have|is|are|was|were)\b.*\b(?:say|says|said|think|thinks|thought|argue|argues|argued|"
    r"claim|claims|claimed|believe|believes|recommend|recommends|suggest|suggests|propose|proposes|warn|warns|warned|"
    r"report|view|views|opinion|opinions|position|stance|reasons?|arguments?|effects?|consequences?|implications?|"
    r"differences?|advantages?|benefits?|risks?|obstacles?|challenges?|concerns?|examples?|demands?|steps)\b|"
    r"\bin what ways?\b|\bopinions?\b|\bwhat (?:are|were) (?:the|some)\b|^\W*what happen(?:ed|s)\b|"
    r"\bwhat (?:do|does) (?:the )?(?:\w+ )?(?:articles?|authors?)\b|\w.*\band (?:who|what|which|how|where|when|why)\b",
    re.IGNORECASE,
)
_WHY = re.compile(rf"{_START}why\b", re.IGNORECASE)
_PLURAL = r"(?!(?:news|its|this|does|has|is|was)\b)[\w-]{2,}[^\W_siu]s"
_LIST = re.compile(
    rf"{_START}(?:\w+ )?(?:what|which) (?:(?!{_AUX}|of\b)[\w-]+ ){{0,3}}?{_PLURAL} (?={_AUX}|[a-z]+ed\b)|"
    rf"{_START}(?:\w+ )?which (?:(?!{_AUX}|of\b)[\w-]+ ){{0,3}}?{_PLURAL}\b(?! (?:is|was|does|has|the|an?|that|to)\b)|"
    r"^\W*(?:list|name)\b",
    re.IGNORECASE,
)
_SPEAKER = re.compile(
    rf"{_START}who (?:else )?(?:says?|said|argues?|argued|claims?|claimed|thinks?|believes?|warns?|warned|"
    r"suggests?|calls?|called|describes?|expects?|recommends?|proposes?|maintains?|predicts?|notes?|writes?|wrote that|"
    r"states?|insists?|holds?|considers?|sees|points out|feels)\b",
    re.IGNORECASE,
)
_NUMBER = re.compile(
    r"\bhow (?:many|much|old|long|far|big|large|high|often)\b|\bwhat (?:percent|share)|\bpercentage\b", re.I
)
_TIME = re.compile(rf"{_START}when\b|\b(?:what|which) (?:year|month|day|date)s?\b", re.I)
_SAID_OF = re.compile(
    r"\b(?:say|says|said|think|thinks|thought|write|writes|wrote|report|reports) (?:about|of) (.+)$",
    re.IGNORECASE | re.DOTALL,
)
_OF_ASKING = frozenset(facts.content("articles authors texts report describe explain compare think view list tell"))


def wants_sentences(question: str) -> bool:
    """Whether it asks for more than a fact: reasons, ways, lists, opinions."""
    return bool(_LONG.search(question)) or wants_list(question)


def wants_list(question: str) -> bool:
    """Whether it asks for several things."""
    return bool(_LIST.search(question))


def wants_reason(question: str) -> bool:
    """Whether it asks why."""
    return bool(_WHY.search(question))


def wants_speaker(question: str) -> bool:
    """Whether it asks who says something."""
    return bool(_SPEAKER.search(question))


def wants_number(question: str) -> bool:
    """Whether it asks how many or how much."""
    return bool(_NUMBER.search(question))


def wants_time(question: str) -> bool:
    """Whether it asks when."""
    return bool(_TIME.search(question))


def spoken_of(question: str) -> str:
    """What somebody is asked to have said something about; empty where the question isn't of this kind."""
    found = _SAID_OF.search(question)
    return found[1] if found else ""


def topic(question: str) -> list[str]:
    """The keys of its words that say what it is about, each once; those that only ask are left out."""
    return [key for key in dict.fromkeys(facts.content(question)) if key not in _OF_ASKING]
