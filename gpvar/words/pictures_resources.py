"""Titles, labels and text alternatives of the pictures of need, staff and funding."""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING

from gpvar.words import resources

if TYPE_CHECKING:
    from gpvar.catalogue import Resource
    from gpvar.words.resources_facts import Resourced


def title(facts: Resourced) -> str:
    """Return the message of the picture."""
    found = facts.found()
    resource, row = found[0]
    said = resources.standing(resource, row[facts.percentile], facts.plain_names)
    return f"{'The typical practice of the area' if facts.is_area else 'The practice'} {said}"


def strip_label(resource: Resource) -> str:
    """Return what a line of the picture shows."""
    return textwrap.fill(resource.label, 26)


def alt(facts: Resourced) -> str:
    """Return the picture in words, from its numbers."""
    said = []
    for resource, row in facts.found():
        own = row["area_median"] if facts.is_area else row["value"]
        low, middle, high = (resources.amount(resource, row[name]) for name in ("p10", "median", "p90"))
        said.append(
            f"{resource.title}: {resources.amount(resource, own)}; middle of {facts.plain_names.reference} {middle}, "
            f"80 in 100 practices from {low} to {high}."
        )
    who = "the practices of the area and the one in their middle" if facts.is_area else "the practice"
    return f"One line for each figure, with {who} against all practices compared. {' '.join(said)}"
