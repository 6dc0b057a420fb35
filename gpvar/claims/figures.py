"""From what a letter prints to a number: `31.2%`, `310 per 1,000`, `7-fold`, `3rd of 230`; nothing is guessed."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass

from gpvar.catalogue import letter_form
from gpvar.results import Figure

_NUMBER = r"(?:\d{1,3}(?:,\d{3})+|\d+)(?:\.\d+)?|\.\d+"
_PERCENT = r"%|per\s?cent\b|pct\b"
_FOLD = r"-?\s*(?:fold\b|times\b|x\b)"
_WORDS = (
    "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve", "thirteen",
    "fourteen", "fifteen", "sixteen", "seventeen", "eighteen", "nineteen", "twenty",
)  # fmt: skip
_OUT_OF = rf"({_NUMBER})(?:st|nd|rd|th)?\s*(?:out of|of|/|from)\s*(?:the\s+)?({_NUMBER})"
_MOST = 1e9


@dataclass(frozen=True, slots=True)
class Printed:
    """A figure as it is printed.

    Attributes
    ----------
    fold
        Whether it says how many times.
    points
        Whether it says percentage points.
    """

    figure: Figure
    fold: bool = False
    points: bool = False


def _plain(text: str) -> str:
    text = unicodedata.normalize("NFKC", text).replace("−", "-").replace("‐", "-").replace("–", "-").casefold()
    text = " ".join(text.split()).strip(" ;:()[]'\"").rstrip(". ")
    word = re.match(rf"({'|'.join(_WORDS)})\b", text)
    # "fourfold" is written as one word.
    word = word or re.match(rf"({'|'.join(_WORDS)})(?=fold\b)", text)
    return f"{_WORDS.index(word[1]) + 1}{text[word.end() :]}" if word else text


def _without(text: str, openings: list[str]) -> str:
    """Return the text without the words that it may begin with."""
    for word in sorted(openings, key=len, reverse=True):
        if text.startswith(word) and not (word[-1].isalpha() and text[len(word) : len(word) + 1].isalpha()):
            return _without(text[len(word) :].strip(), openings)
    return text


def read_figure(text: str, *, line: bool = False, a_week: bool = False) -> Printed | str:
    """Return the figure that a cell prints, or why it cannot be read.

    Parameters
    ----------
    text
        What stands in the cell.
    line
        Whether it is a line to be kept to, before which "at least" and "above" may stand.
    a_week
        Whether it is a number a week; anywhere else a week is another unit.
    """
    units = letter_form.words()["unit"]
    plain = _plain(text)
    if line:
        plain = _without(plain, units["line"])
    plain = _without(plain, units["about"])
    found = re.match(rf"(-?)\s*({_NUMBER})(?![\d,])\s*", plain)
    if found is None or _with_letter_o(plain):
        return _why_not(plain)
    rest, fold = plain[found.end() :], False
    percent = re.match(_PERCENT, rest)
    if percent is not None:
        rest = rest[percent.end() :]
    elif (times := re.match(_FOLD, rest)) is not None:
        rest, fold = rest[times.end() :], True
    reason = _strange(rest, [*units["words"], *(units["week"] if a_week else [])])
    if reason:
        return reason
    digits = found[2].replace(",", "")
    number = float(found[1] + digits)
    if abs(number) > _MOST:
        return "the number is too large to be meant"
    decimals = len(digits.partition(".")[2])
    figure = Figure(text, number, decimals, percent is not None)
    return Printed(figure, fold, bool(re.search(r"\b(?:points?|pp|pts)\b", rest)))


def _why_not(plain: str) -> str:
    if re.match(r"-?\d+,\d", plain):
        return "a comma may stand for thousands or for a decimal point"
    if _with_letter_o(plain):
        return "the letter O stands where the figure 0 belongs"
    if re.match(r"[<>≤≥]", plain):
        return "it says a limit and not a figure"
    if plain.startswith(("£", "$", "€")):
        return "an amount of money is no figure of a practice"
    return "text stands where a number is needed"


def _with_letter_o(plain: str) -> bool:
    return "o" in plain and re.fullmatch(r"[\do]*(?:\d[o.]|o\d|o\.\d)[\do.]*\s*%?", plain) is not None


def _strange(rest: str, known: list[str]) -> str:
    """Return what stands beside a number and may change what it means; nothing where all is known."""
    plain = re.sub(r"\b1[, ]?000\b", "", rest)
    if re.match(r"\s*per\s+\d", plain):
        return "it is per another number than 1,000"
    if re.search(r"\d", plain):
        out_of = re.match(r"\s*(?:st|nd|rd|th)?\s*(?:out of|of|/|from)\s*(?:the\s+)?\d", plain)
        return "it says how many of how many" if out_of else "more than one number stands in the cell"
    strange = [word for word in re.findall(r"[^\s,./()-]+", plain) if word not in known]
    return f"'{strange[0]}' stands beside the number, and it is not clear what it changes" if strange else ""


def read_tail(text: str) -> Figure | str:
    """Return a share of practices, such as ``"10%"``, ``"decile"`` or ``"lowest tenth"``; or why it cannot be read."""
    plain = _without(letter_form.plain(text), letter_form.words()["unit"]["tail"])
    shares = {"tenth": 10.0, "fifth": 20.0, "quarter": 25.0}
    for name, share in shares.items():
        if plain in letter_form.words()["tail"][name]:
            return Figure(text, share, 0, True)
    if re.search(r"(?:^|\s)[-−–]\s*[\d.]", text):
        return "the share of practices in a tail is more than 0% and at most 50%"
    # What stands before the number is taken off from the text as it is, whose decimals count.
    start = re.search(r"[\d.]", text)
    printed = read_figure(text[start.start() :] if start and plain[:1].isdigit() else text)
    if isinstance(printed, str):
        return printed
    figure = printed.figure
    if figure.number < 1 and not figure.percent:
        return "it may be a fraction or a percentage: write it with its per cent sign"
    if not 0 < figure.number <= 50:
        return "the share of practices in a tail is more than 0% and at most 50%"
    return Figure(text, figure.number, figure.decimals, True)


def read_place(text: str) -> tuple[int, int | None] | str:
    """Return a place or number, and out of how many where the same cell says so; or why it cannot be read."""
    plain = _without(_plain(text), letter_form.words()["unit"]["tail"])
    found = re.match(rf"{_OUT_OF}\b(.*)$", plain) or re.match(rf"({_NUMBER})(?:st|nd|rd|th)?\b()(.*)$", plain)
    if found is None:
        return _why_not(plain)
    reason = _strange(found[3], letter_form.words()["unit"]["words"])
    if reason or "%" in found[3]:
        return reason or "a percentage stands where a whole number is needed"
    numbers = [float(part.replace(",", "")) for part in (found[1], found[2]) if part]
    if any(not number.is_integer() or not 1 <= number <= _MOST for number in numbers):
        return "a whole number from 1 is needed"
    return int(numbers[0]), int(numbers[1]) if len(numbers) > 1 else None
