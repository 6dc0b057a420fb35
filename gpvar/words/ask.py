"""The letter that asks how another letter's figures were made: one page, from that letter alone."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING

from gpvar import catalogue
from gpvar.catalogue.letters import questions, templates
from gpvar.claims import asking
from gpvar.dates import month_in_words
from gpvar.words import contract
from gpvar.words.shared import note
from gpvar.words.text import escape_markdown, plain, plural

if TYPE_CHECKING:
    from gpvar.results import Claim

#: What the sentences stand under where the letter's page has no room for them.
AT_END = "## The sentences of your letter, as we number them"
#: How the sentences are listed: a row each; in lines, a practice each; their beginnings alone; after the letter.
LISTED = ("table", "lines", "beginnings", "at_end")
_LIMITS = {"lines": 160, "beginnings": 64}
_BREAK = "\\\n"
_CLAUSE = "Please quote the clause itself, which we have not seen."
_HEAD = {
    "figures": "The figures",
    "period": "The period",
    "extract": "The sources",
    "comparison": "The comparison",
    "chance": "Chance",
    "threshold": "The threshold",
    "changes": "Recording",
    "contract": "The contract and support",
}
#: Where a group holds one question alone.
_HEAD_OF_ONE = {
    "survey": "The survey",
    "ag_extract": "Advice and guidance",
    "emergency_extract": "Attendances and calls",
    "workforce": "The doctors",
    "comparator": "The comparison",
    "adjustment": "The patients",
    "clause": "The contract",
    "support": "Support",
}
_COMPARATOR = {
    "england": "England",
    "icb": "the ICB",
    "sub_icb": "the sub-ICB",
    "pcn": "the PCN",
    "region": "the region",
    "similar": "similar practices",
}


def ask_letter(claims: Sequence[Claim], board: str = "", listed: str = "table") -> str:
    """Return the letter as Markdown.

    Parameters
    ----------
    claims
        The sentences of the ICB's letter, in its order.
    board
        The ICB's name where it is known.
    listed
        How the sentences are listed, one of `LISTED`.
    """
    letter = [*_opening(board, len(claims), listed), "## Please would you tell us", _questions(claims)]
    letter += [*_contract(claims), *_closing()]
    if listed == "at_end":
        return "\n\n".join([*letter, AT_END, _table(claims)])
    where = letter.index("## Please would you tell us")
    shown = _table(claims) if listed == "table" else _by_practice(claims, _LIMITS[listed])
    return "\n\n".join([*letter[:where], shown, *letter[where:]])


def ask_title(board: str = "") -> str:
    """Return what the page is called."""
    return f"Questions to {plain(board) or 'the ICB'} about its letter"


def ask_summary(claims: Sequence[Claim], paths: Sequence[object]) -> str:
    """Return what was written, for the terminal, and what is left to be done to it."""
    about = f"{plural(len(asking.asked(claims)), 'question')} about {plural(len(claims), 'sentence')}"
    return "\n".join(
        [
            f"The letter to the ICB asks {about}: {paths[0]}",
            f"The same for a browser: {paths[-1]}",
            "Before it is sent: read it, and fill in what stands between square brackets.",
        ]
    )


def _opening(board: str, count: int, listed: str) -> list[str]:
    to = escape_markdown(board) or r"\[name of the ICB\]"
    where = "at the end" if listed == "at_end" else "below"
    which = "The sentence that we ask about is" if count == 1 else "Its sentences are numbered"
    return [
        rf"From \[your name and organisation\] to \[name\], {to}. \[Date\]",
        r"# Your letter of \[date\]: how its figures were made",
        r"Dear \[name\]",
        "Thank you for your letter. We do not dispute that its figures may be right, and where they are we shall say "
        "so. This letter is written from yours alone: no figure has been checked yet, and we take no view of any "
        f"practice. To check them we need to know how they were made. {which} {where}.",
    ]


def _table(claims: Sequence[Claim]) -> str:
    """Return the sentences, a row each."""
    rows = [f"| {escape_markdown(claim.id)} | {_who(claim, 80)} | {_sentence(claim, 300)} |" for claim in claims]
    rules = "|".join("-" * width for width in (5, 30, 65))
    return "\n".join(["| No. | Practice | What your letter says |", f"|{rules}|", *rows])


def _by_practice(claims: Sequence[Claim], limit: int) -> str:
    """Return the sentences in few lines, one for each practice."""
    groups: dict[str, list[str]] = {}
    for claim in claims:
        groups.setdefault(_who(claim, 40), []).append(f"**{escape_markdown(claim.id)}** {_sentence(claim, limit)}")
    lines = [f"{who}: {' '.join(said)}" for who, said in groups.items()]
    return note(_BREAK.join(lines))


def _who(claim: Claim, limit: int) -> str:
    about = templates()[claim.template].about
    name, code = plain(claim.practice), claim.practice_code
    if not name or code in name:
        who = name or code or ("Practice not named" if about == "practice" else "The area")
        return escape_markdown(_cut(who, limit))
    return escape_markdown(f"{_cut(name, limit)} ({code})")


def _sentence(claim: Claim, limit: int) -> str:
    """Return a sentence in the letter's own words, or, where they were not copied, what it was said to be."""
    said, who = plain(claim.text, 2000), plain(claim.practice)
    if not said:
        return escape_markdown(_described(claim), 300)
    # The practice stands beside it.
    said = re.sub(re.escape(who), "…", said, flags=re.IGNORECASE) if len(who) > 3 else said
    return f"“{escape_markdown(_cut(said, limit), 2 * limit)}”"


def _cut(text: str, limit: int) -> str:
    """Return a text, cut between words where it is too long."""
    return text if len(text) <= limit else f"{text[: limit - 1].rsplit(' ', 1)[0]} …"


def _described(claim: Claim) -> str:
    card = catalogue.metrics().get(claim.metric)
    title = templates()[claim.template].title
    measure = card.short if card is not None else claim.metric_written
    parts = [f"{title[0].lower()}{title[1:]}", measure, claim.figure.text if claim.figure else ""]
    parts += [f"against {_COMPARATOR[claim.comparator]}"] if claim.comparator in _COMPARATOR else []
    parts += [_months(claim.period)] if claim.period else []
    return ", ".join(part for part in parts if part)


def _months(period: str) -> str:
    first, last = period.split("..")[0], period.split("..")[-1]
    return month_in_words(first) if first == last else f"{month_in_words(first)} to {month_in_words(last)}"


def _questions(claims: Sequence[Claim]) -> str:
    ids = tuple(claim.id for claim in claims)
    return "\n".join(f"{n}. {_question(asked, ids)}" for n, asked in enumerate(asking.asked(claims), start=1))


def _question(asked: asking.Asked, ids: tuple[str, ...]) -> str:
    """Return one numbered question; its parts carry their own sentences where these differ."""
    names = [name for name, _ in asked.questions]
    head = _HEAD_OF_ONE.get(names[0], _HEAD[asked.group]) if len(names) == 1 else _HEAD[asked.group]
    whole = {about for _, about in asked.questions}
    if len(whole) == 1:
        texts = [questions()[name].question for name in names]
        return f"**{head}.** {' '.join(texts)} ({_all_or(whole.pop(), ids)})"
    texts = [f"{questions()[name].question} ({_all_or(about, ids)})" for name, about in asked.questions]
    return f"**{head}.** {' '.join(texts)}"


def _all_or(about: tuple[str, ...], ids: tuple[str, ...]) -> str:
    return "all" if len(about) == len(ids) > 2 else contract.sentences(about)


def _contract(claims: Sequence[Claim]) -> list[str]:
    """Return the wording that bears on the letter; what another quotation says already is left to the contract card."""
    ids = tuple(claim.id for claim in claims)
    found = [(item, bears) for item, bears in asking.wording(claims) if item.in_letter]
    if not found:
        return []
    lines = [f"- {' '.join([f'{text}.', *unsaid])}" for text, unsaid in contract.quoted(found, ids)]
    after = [contract.goal(target) for target in asking.goals(claims)]
    after += [contract.earlier(asking.before_force(claims), ids), _CLAUSE]
    heading = f"## The contract wording known to us{contract.in_force(found)}"
    return [heading, "\n".join(lines), " ".join(text for text in after if text)]


def _closing() -> list[str]:
    return [
        r"Please may we have the answers by \[date\]? We would gladly meet, and ask that no step rest on these figures "
        "until then. Where they hold, we shall be glad to talk about support.",
        r"Yours sincerely, \[name\]",
    ]
