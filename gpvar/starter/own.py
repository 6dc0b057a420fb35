"""Headings of people's own: taken where exactly one fits, and never guessed between two."""

from __future__ import annotations

import re

from gpvar import catalogue
from gpvar.problems import closest
from gpvar.sources.files.grid import plain_heading

_APPOINTMENTS = re.compile(r"\b(?:appts?|apts?|apps)\b")
_COUNTING = re.compile(r"^(?:total )?(?:number|no\.?|count) of ")


def key(heading: str) -> str:
    """Return a heading as it is compared: spaces, hyphens, underscores and capitals do not matter."""
    return re.sub(r"[\s_\-]+", " ", plain_heading(heading))


def loose_key(heading: str) -> str:
    """Return a heading as people's own are compared: without brackets, "number of" and short forms."""
    plain = re.sub(r"\([^)]*\)|\[[^\]]*\]", " ", key(heading)).replace("&", " and ")
    plain = _APPOINTMENTS.sub("appointments", " ".join(plain.split()).strip(" .:"))
    return _COUNTING.sub("", plain)


def candidates(headings: list[str], wanted: list[str]) -> list[str]:
    """Return the headings of the table that are among those wanted, compared loosely."""
    asked = {loose_key(item) for item in wanted}
    return [heading for heading in headings if loose_key(heading) in asked]


class Finder:
    """Finds what the headings of a table are, and remembers where two would do.

    Attributes
    ----------
    headings
        The table's.
    doubtful
        What could be either of several headings, and so was left open.
    """

    def __init__(self, headings: list[str]) -> None:
        self.headings = headings
        self.doubtful: dict[str, list[str]] = {}
        self._known = catalogue.conventions()
        self._own = self._known["own"]

    def fact(self, name: str) -> str | None:
        """Return the heading of a fact about practices."""
        for item in self._known["facts"].get(name, []):
            if found := self.called([item]):
                return found[0]
        return self.only_one(name, self._own["facts"].get(name, []))

    def count(self, name: str) -> list[str] | None:
        """Return the headings that make up a count, added up."""
        for names in self._known["counts"].get(name, []):
            if found := self.called(names):
                return found
        if own := self.only_one(name, self._own["counts"].get(name, [])):
            return [own]
        parts = [self.count(part) for part in self._own["sums"].get(name, [])]
        if parts and all(parts):
            return [heading for part in parts for heading in part or []]
        return None

    def called(self, wanted: list[str]) -> list[str] | None:
        """Return the headings of the table that are the ones wanted, or None when one is not there."""
        return columns_called(self.headings, wanted)

    def only_one(self, name: str, wanted: list[str]) -> str | None:
        """Return the one heading that fits, or None when none does or more than one."""
        found = candidates(self.headings, wanted)
        if len(found) > 1:
            self.doubtful[name] = found
        return found[0] if len(found) == 1 else None

    def shares(self, covariate: str) -> list[str] | None:
        """Return the headings of a characteristic made of shares; its first part is needed."""
        groups = self._own["shares"].get(covariate, {})
        found = [self.only_one(f"{covariate}, {group}", wanted) for group, wanted in groups.items()]
        return [heading for heading in found if heading] if found and found[0] else None

    def nearest(self, name: str) -> list[str]:
        """Return the headings that may be meant by a count or fact that was not found."""
        if name in self.doubtful:
            return self.doubtful[name]
        own = [item for part in (name, *self._own["sums"].get(name, [])) for item in self._own["counts"].get(part, [])]
        own += self._own["facts"].get(name, []) + self._known["facts"].get(name, [])
        own += [item for names in self._known["counts"].get(name, []) if len(names) == 1 for item in names]
        words = {loose_key(heading): heading for heading in reversed(self.headings)}
        near = [hit for item in own for hit in closest(loose_key(item), words, 1)]
        return list(dict.fromkeys(words[hit] for hit in near))[:3]


def columns_called(headings: list[str], wanted: list[str]) -> list[str] | None:
    """Return the headings of the table that are the ones wanted, or None when one is not there."""
    there = {key(heading): heading for heading in reversed(headings)}
    keys = [key(heading) for heading in wanted]
    return [there[key] for key in keys] if all(key in there for key in keys) else None


def remark(covariate: str) -> str:
    """Return what must be said of a characteristic that was taken by a heading of the table's own."""
    return str(catalogue.conventions()["own"]["remarks"].get(covariate, ""))


def noun(metric: str, part: str) -> str:
    """Return what a metric's count is, in words."""
    card = catalogue.metric(metric)
    return card.noun_numerator if part == "numerator" else card.noun_denominator
