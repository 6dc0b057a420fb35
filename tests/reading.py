"""How hard a text is to read: the Flesch-Kincaid grade, with its own counter of syllables."""

from __future__ import annotations

import re
from collections.abc import Iterable

#: Vowels side by side that are spoken as two syllables, once the endings that are one were taken off.
_TWO = re.compile(r"i[aou]|(?<![gq])u[ao]|ienc|iet|eo|[aeiouy]ing$")
_ONE = re.compile(r"[tscg]i(?=on|al|an|ou|en)")
_KNOWN = {
    "area": 3, "being": 2, "create": 2, "does": 1, "doing": 2, "done": 1, "every": 2, "figure": 2, "figures": 2,
    "here": 1, "highest": 2, "idea": 3, "level": 2, "life": 1, "like": 1, "measure": 2, "measures": 2,
    "nowhere": 2, "people": 2, "practice": 2, "practices": 3, "reliable": 4, "same": 1, "seen": 1, "shared": 1,
    "some": 1, "someone": 2, "something": 2, "somewhere": 2, "there": 1, "these": 1, "themselves": 2, "those": 1,
    "statement": 2, "itself": 2, "where": 1, "whose": 1, "business": 2, "different": 3, "difference": 3, "once": 1,
    "science": 2, "league": 1,
}  # fmt: skip
_WORD = re.compile(r"[A-Za-z][A-Za-z'’]*")
_NUMBER = re.compile(r"[−-]?\d[\d,.]*\d%?|\d%?")
_END = re.compile(r"[.!?]+(?=[\s”)]|$)")


def syllables(word: str) -> int:
    """Return how many syllables an English word is spoken with."""
    word = re.sub(r"['’]s?$", "", word.lower())
    if word in _KNOWN:
        return _KNOWN[word]
    spoken = _ONE.sub("sh", _spoken(word))
    return max(1, len(re.findall(r"[aeiouy]+", spoken)) + len(_TWO.findall(spoken)))


def _spoken(word: str) -> str:
    """Return the word without letters e that are written and not spoken."""
    if re.search(r"(?:[^aeioulsczxg]|[aeiou]l)es$", word) and not word.endswith(("ches", "shes")):
        word = f"{word[:-2]}s"
    elif re.search(r"(?:[^aeioultd]|[aeiou]l)ed$", word):
        word = f"{word[:-2]}d"
    elif re.search(r"(?:[^aeioul]|[aeiou]l|u)e$", word):
        word = word[:-1]
    return re.sub(r"(?<=[^aeiouy])e(?=(?:ments?|ly|ful|less|ness)$)", "", word)


def grade(text: str, leave_out: Iterable[str] = ()) -> float:
    """Return the Flesch-Kincaid grade of a text.

    Parameters
    ----------
    text
        Plain text. A number counts as one short word.
    leave_out
        Names and terms of a glossary, which count as one short word each.
    """
    for term in sorted({t for t in leave_out if t}, key=len, reverse=True):
        text = re.sub(rf"\b{re.escape(term)}\b", "term", text, flags=re.IGNORECASE)
    text = _NUMBER.sub("nine", text)
    words = _WORD.findall(text)
    ends = max(1, len(_END.findall(text)))
    spoken = sum(syllables(word) for word in words)
    return 0.39 * len(words) / ends + 11.8 * spoken / max(1, len(words)) - 15.59


def body(markdown: str) -> str:
    """Return the sentences of a page: no headings, frames, tables, labels of rungs or lists of sources."""
    text = re.sub(r"::: \{\.sources.*?\n:::(?=\n|$)", "", markdown, flags=re.DOTALL)
    lines = [line for line in text.splitlines() if not re.match(r"\s*(#|:::|\||!\[)", line)]
    text = re.sub(r"\\([!-/:-@\[-`{-~])", r"\1", "\n".join(lines).replace("**", ""))
    text = re.sub(r"\s*\((M\d−?, [^()]*|M\d−?)\)", "", text)
    return re.sub(r"^\s*- ", "", text, flags=re.MULTILINE)
