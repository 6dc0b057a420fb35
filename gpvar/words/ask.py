"""The letter that asks how another letter's figures were made: one page, from that letter alone."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from gpvar import catalogue
from gpvar.catalogue.letters import questions, templates
from gpvar.claims import asking, remarks
from gpvar.dates import month_in_words
from gpvar.words import contract
from gpvar.words.letter_remarks import letter_as_read, letter_remarks
from gpvar.words.shared import note
from gpvar.words.text import escape_markdown, plain, plural

if TYPE_CHECKING:
    from gpvar.results import Claim

#: What the sentences stand under where the letter's page has no room for them.
AT_END = "## The sentences of your letter, as we number them"
#: How the sentences are listed, always whole: a row each; in small print, one after another; after the letter.
LISTED = ("table", "lines", "at_end")
#: More than a cell of a letter may hold.
_WHOLE = 4000
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
    "average": "The average",
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
    shown = _table(claims) if listed == "table" else _in_lines(claims)
    return "\n\n".join([*letter[:where], shown, *letter[where:]])


def ask_title(board: str = "") -> str:
    """Return what the page is called."""
    return f"Questions to {plain(board) or 'the ICB'} about its letter"


def ask_summary(claims: Sequence[Claim], paths: Sequence[object]) -> str:
    """Return what was written, for the terminal, and what is left to be done to it."""
    about = f"{plural(len(asking.asked(claims)), 'question')} about {plural(len(claims), 'sentence')}"
    return "\n".join(
        [
            "How each row was read:",
            *(f"  {line}" for line in letter_as_read(claims)),
            *letter_remarks(remarks(claims)),
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
        "so. We write from it alone: no figure has been checked yet, and we take no view of any practice. To check "
        f"them we need to know how they were made. {which} {where}.",
    ]


def _table(claims: Sequence[Claim]) -> str:
    """Return the sentences, a row each."""
    rows = [f"| {escape_markdown(claim.id)} | {_who(claim)} | {_sentence(claim)} |" for claim in claims]
    rules = "|".join("-" * width for width in (5, 30, 65))
    return "\n".join(["| No. | Practice | What your letter says |", f"|{rules}|", *rows])


def _in_lines(claims: Sequence[Claim]) -> str:
    """Return the sentences one after another, each with its practice where the sentence does not name it."""
    return note(" ".join(f"**{escape_markdown(claim.id)}**\u00a0{_named(claim)}{_sentence(claim)}" for claim in claims))


def _named(claim: Claim) -> str:
    said = plain(claim.text, _WHOLE).casefold()
    names = [name for name in (plain(claim.practice, _WHOLE), claim.practice_code) if name]
    return "" if not names or any(name.casefold() in said for name in names) else f"{_who(claim)}: "


def _who(claim: Claim) -> str:
    about = templates()[claim.template].about
    name, code = plain(claim.practice, _WHOLE), claim.practice_code
    if not name or code in name:
        return escape_markdown(name or code or ("Practice not named" if about == "practice" else "The area"), _WHOLE)
    return escape_markdown(f"{name} ({code})", _WHOLE)


def _sentence(claim: Claim) -> str:
    """Return a sentence in the letter's own words, or, where they were not copied, what it was said to be."""
    said = plain(claim.text, _WHOLE)
    return f"“{escape_markdown(said, _WHOLE)}”" if said else escape_markdown(_described(claim), _WHOLE)


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
    """Return one numbered question with one question mark; parts carry their own sentences where these differ."""
    names = [name for name, _ in asked.questions]
    head = _HEAD_OF_ONE.get(names[0], _HEAD[asked.group]) if len(names) == 1 else _HEAD[asked.group]
    whole = {about for _, about in asked.questions}
    texts = [questions()[name].question.removesuffix("?") for name in names]
    if len(whole) > 1:
        marked = zip(texts, (about for _, about in asked.questions), strict=True)
        texts = [f"{text} ({_all_or(about, ids)})" for text, about in marked]
    joined = "; ".join([texts[0], *(f"{text[0].lower()}{text[1:]}" for text in texts[1:])])
    return f"**{head}.** {joined}?{'' if len(whole) > 1 else f' ({_all_or(whole.pop(), ids)})'}"


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
    after += [contract.earlier(*asking.before_force(claims), ids, contract.first_day(found)), _CLAUSE]
    heading = f"## The contract wording known to us{contract.in_force(found)}"
    return [heading, "\n".join(lines), " ".join(text for text in after if text)]


def _closing() -> list[str]:
    return [
        r"We should be glad of the answers by \[date\], and to meet, and ask that no step rest on these figures until "
        "then. Where they hold, we shall gladly talk about support.",
        r"Yours sincerely, \[name\]",
    ]
