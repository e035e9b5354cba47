"""Lines that scraped pages put around an article: menus, share bars, pleas to subscribe, notices."""

from __future__ import annotations

import re

SHORT = 160
"""Characters of the longest line that can be boilerplate, a title or a byline."""
IMAGE = re.compile(r"!\[[^\]]*\]\([^)]*\)")
MARKUP = re.compile(r"^(?:#{1,6}|>|[-*+•■▪●])\s+|[*_`]{1,3}|\s#+$|!?\[|\]\([^)\s]*\)|\]")


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


MENU = _words(
    "account app archive article articles back bookmark buy category click close comment comments contact copy"
    " download email explore facebook feed follow forum full google help home instagram join latest less like link"
    " linkedin listen log login logout messenger menu navigation newsletter next page photos pinterest play podcast"
    " podcasts post posts prev previous print read reddit register reply rss save search share shop sign skip sms story"
    " subscribe submit telegram topics tweet twitter video videos watch whatsapp youtube news"
)
"""A line of these words alone, with or without the next ones, is a menu or a share bar."""
GLUE = _words(
    "a about add all an and by here in more my new now on our radio see send show the this to top tv up us via view"
    " weather web with x your & + | / · •"
)
BOILERPLATE = re.compile(
    r"""
    (?:click|tap)\ (?:here\ )?to\ (?:comment|share|read|view|subscribe|enlarge|expand)\b.*
    | leave\ a\ (?:reply|comment)\b.* | (?:cancel|post)\ (?:reply|comment) | join\ the\ (?:conversation|discussion)\W*
    | you\ must\ be\ (?:logged|signed)\ in\b.* | your\ email\ address\ will\ not\ be\ published\b.*
    | required\ fields\ are\ marked\b.* | save\ my\ name,\ email\b.* | notify\ me\ of\ (?:new|follow-?up)\b.*
    | (?:subscribe|sign\ up|register)\ (?:now|today|free|here|to\ (?:our|the|my|receive|get)|for\ (?:our|free|more))\b.*
    | get\ (?:the|our)\ .{0,40}(?:newsletter|app|in\ your\ inbox)\b.* | enter\ your\ e-?mail\b.*
    | (?:read|see|watch|listen)\ (?:more|also|next|now)\s*[:>»|-].* | (?:also|further)\ read(?:ing)?\s*:.*
    | related\ (?:articles?|stor(?:y|ies)|topics?|posts?|content|news|coverage|links?)\b[^.]*
    | related\s*:.*
    | (?:recommended|most\ (?:read|popular|viewed)|trending|popular)(?:\ (?:for\ you|now|stories|news))?\s*:?
    | (?:you\ (?:may|might)\ also\ (?:like|be\ interested\ in)|up\ next|don['’]t\ miss|editors?['’]?s?\ picks?)\b[^.]*
    | more\ (?:from|on|in)\ [^.]{1,40} | in\ this\ (?:article|story)\s*:?
    | (?:advert(?:isement)?s?|sponsored(?:\ content)?|promoted(?:\ content)?|paid\ content)\W*
    | (?:story|article)\ continues\ (?:below|after)\b.* | scroll\ to\ continue\b.* | loading\W*
    | (?:we|(?:this|our)\ (?:web)?site)\ uses?\ cookies\b.* | by\ (?:continuing|using|browsing)\b.{0,80}\bcookies\b.*
    | (?:accept|reject|manage|allow)\ (?:all\ )?(?:cookies|preferences) | cookie\ (?:policy|settings|preferences|notice)
    | (?:privacy\ (?:policy|notice)|terms\ (?:of\ (?:use|service)|(?:and|&)\ conditions))\b.{0,60}
    | .{0,60}all\ rights\ reserved\W* | error:\ content\ is\ protected\W*
    | (?:©|\(c\)|copyright\s*(?:©|\(c\)|\d{4})).{0,120}
    | (?:photo(?:graph|s)?|image|picture|illustration|video|credit|caption)(?:\ (?:credit|source|by))?s?\s*:.*
    | \(?(?:photo|image)(?:graph)?s?\ (?:by|courtesy|credit)\b.*
    | (?:\S+\ ){0,8}?(?:\S*/\s?)?
      (?:unsplash|getty\ images|shutterstock|istock(?:photo)?|alamy|pixabay|pexels|ap\ photo)\W*
    | (?:hide|toggle)\ caption | enlarge\ this\ image | sources?\.?
    | (?:topics?|tags?|keywords?|filed\ under|categor(?:y|ies)|posted\ in)\s*:.*
    | \d[\d,.]*[km]?\ (?:comments?|shares?|likes?|views?|claps?|responses?|min(?:ute)?s?(?:\ read)?)(?:\ read)?
    | (?:connect\ with|follow|contact|about)\ (?:us|me)\b[^.]{0,60} | follow\ \S+\ on\ [^.]{1,60}
    | view\ (?:all\ )?(?:comments?|gallery|slideshow)\b.{0,20} | member-only\ story | open\ in\ app
    | written\ by | our\ standards:.* | (?:ad|live|exclusive|opinion|analysis|breaking(?:\ news)?)\W*
    """,
    re.IGNORECASE | re.VERBOSE,
)


def is_boilerplate(line: str) -> bool:
    """Whether the line as a whole is no part of an article."""
    if not any(character.isalnum() for character in line) or IMAGE.fullmatch(line):
        return True
    if len(line) > SHORT:
        return False
    plain = unmarked(line)
    words = {word.rstrip(":") for word in plain.lower().split()}
    return bool(BOILERPLATE.fullmatch(plain)) or (words <= MENU | GLUE and bool(words & MENU))


def unmarked(line: str) -> str:
    """A line without Markdown's marks, spaces made single."""
    return " ".join(MARKUP.sub(" ", line).split())
