"""Names of people, papers and agencies, told by their words and capitals."""

from __future__ import annotations

import re

AGENCIES = (
    "Reuters|Associated Press|AP|Agence France-Presse|AFP|Xinhua|UPI|Bloomberg|ANI|PTI|IANS|TASS|Kyodo News|Kyodo|"
    "Yonhap|dpa|DPA|EFE|ANSA|Interfax|Anadolu|Bernama|CNN"
)
NAME = r"(?:[Tt]he )?[A-Z][\w&'’.-]*(?: (?:(?:of|for|and|the|on|in|&) ){0,2}[A-Z][\w&'’-]*(?:\.\w+)?){0,7}"
LIST = re.compile(r"\s*(?:[,;&]|\band\b|\bwith\b)\s*")


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


PARTICLES = _words("de da di du dos del della der den van von bin ibn al el la le ten ter y e")
ROLES = _words(
    "founder co-founder director professor editor reporter correspondent fellow columnist writer researcher analyst"
    " staff contributor president ceo chair chairman chairwoman author journalist chief senior head contributing"
    " special guest freelance producer secretary lecturer scholar economist adviser advisor minister ambassador"
    " historian lawyer student candidate executive manager partner expert consultant member critic desk team newsroom"
    " editors novelist"
)
PUBLISHERS = _words(
    "news times post daily journal today press magazine review guardian herald tribune telegraph gazette observer"
    " chronicle independent economist standard globe express weekly monthly quarterly newspaper media network"
    " institute university foundation council agency online tv radio blog wire insider affairs policy atlantic"
    " diplomat conversation nikkei politico bbc cnn npr nbc abc cbs pbs cgtn scmp"
)
PLACES = _words(  # of two words, so that they look like names
    "New-York Los-Angeles San-Francisco San-Diego Hong-Kong New-Delhi Washington-DC Tel-Aviv Mexico-City São-Paulo"
    " Sao-Paulo Abu-Dhabi Kuala-Lumpur Buenos-Aires Cape-Town Las-Vegas South-Korea North-Korea South-Africa"
    " Saudi-Arabia New-Zealand United-States United-Kingdom United-Nations Rio-de-Janeiro Sri-Lanka Puerto-Rico"
)
NO_NAME = _words(
    "the a an how why what when who where this that is are was will can in on for to and or of my our your all no"
)


def is_agency(name: str) -> bool:
    """Whether it is a news agency's name or abbreviation."""
    return bool(re.fullmatch(AGENCIES, name.strip()))


def is_publisher(name: str) -> bool:
    """Whether it looks like a paper, broadcaster or site: a known word, an acronym, or ``The`` in front."""
    words = name.split()
    if not words or len(words) > 6 or not name[0].isupper():
        return False
    acronym = len(words) == 1 and name.isupper() and 2 <= len(name) <= 6
    return acronym or words[0] == "The" or names_a_paper(name)


def names_a_paper(name: str) -> bool:
    """Whether one of its words is of those that names of papers, broadcasters and sites are made of."""
    words = name.lower().split()
    return is_agency(name) or any(
        word in PUBLISHERS or word.endswith((".com", ".org", ".net", ".uk")) for word in words
    )


def is_name(name: str) -> bool:
    """Whether it looks like a person's full name: two to five capitalised words, none that names a role or a paper."""
    words = name.split()
    if not 2 <= len(words) <= 5 or not (words[0][0].isupper() and words[-1][0].isupper()):
        return False
    if {word.lower() for word in words} & (ROLES | PUBLISHERS | NO_NAME) or "-".join(words) in PLACES:
        return False
    letters = re.sub(r"[.'’‘-]", "", "".join(words))
    return letters.isalpha() and all(word[0].isupper() or word in PARTICLES for word in words)


def split_names(text: str) -> tuple[str, ...]:
    """The names of a list that has nothing but names; empty otherwise."""
    parts = [part for part in LIST.split(text) if part]
    return tuple(dict.fromkeys(parts)) if parts and all(is_name(part) for part in parts) else ()
