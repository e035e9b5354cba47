"""Names that mean the same: countries and their people, parties, months."""

from __future__ import annotations

MONTHS = "january february march april may june july august september october november december".split()
_FORMS = """
    us usa america american, uk britain british, eu european europe, china chinese sino prc, japan japanese, korea
    korean, germany german, france french, russia russian, india indian, canada canadian, mexico mexican, australia
    australian, taiwan taiwanese, vietnam vietnamese, iran iranian, israel israeli, ukraine ukrainian, brazil
    brazilian, italy italian, spain spanish, netherlands dutch, switzerland swiss, sweden swedish, turkey turkish,
    scotland scottish, wales welsh, ireland irish, poland polish, greece greek, norway norwegian, denmark danish,
    finland finnish, belgium belgian, austria austrian, portugal portuguese, hungary hungarian, egypt egyptian,
    nigeria nigerian, kenya kenyan, indonesia indonesian, malaysia malaysian, thailand thai, philippines philippine
    filipino, singapore singaporean, pakistan pakistani, iraq iraqi, syria syrian, argentina argentine argentinian,
    chile chilean, colombia colombian, venezuela venezuelan, cuba cuban, california californian, texas texan,
    florida floridian, hawaii hawaiian, africa african, asia asian, democrat democratic, republican gop
"""
_GROUPS = [group.split() for group in _FORMS.split(",")] + [[month, month[:3], month[:4]] for month in MONTHS]
_ONE_WORD = {form: forms[0] for forms in _GROUPS for form in forms}
PLACES = frozenset(_ONE_WORD.values())
"""Countries and continents in the form they are compared in; months and parties are among them."""
SAME_NAME = _ONE_WORD | {
    "united states": "us",
    "united states of america": "us",
    "united kingdom": "uk",
    "european union": "eu",
    "united nations": "un",
}
"""A name in lower case -> the form it is compared in."""
