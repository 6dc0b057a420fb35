"""What a study says of practices itself: the list of its area, its groups, and what happened to practices."""

from __future__ import annotations

from dataclasses import dataclass, field

import pandas as pd

from gpvar import organisations, schema
from gpvar.organisations import Events
from gpvar.sources import lists, local
from gpvar.study import Study


@dataclass(frozen=True, slots=True)
class OwnLists:
    """The lists that a study names.

    Attributes
    ----------
    listed
        Codes of the practices of the area's list, each as it is called at the end of the period.
    groups
        practice_code, list, group.
    events
        What happened to practices, confirmed and proposed.
    provenance
        One row for each file.
    across
        Practice that is no more → what to say where its successor is in another group of a list.
    """

    listed: tuple[str, ...]
    groups: pd.DataFrame
    events: Events
    provenance: tuple[dict[str, object], ...]
    across: dict[str, str] = field(default_factory=dict)

    def told(self, done: pd.DataFrame) -> pd.DataFrame:
        """Return what was done about each event, with those that move figures to another group told so."""
        used = done["event"].isin(["merged", "code_changed"]) & done["done"].str.startswith("its ")
        more = done["code"].where(used, "").map(lambda code: self.across.get(code, ""))
        return done.assign(done=done["done"] + more)

    def codes(self, list_id: str, group: str) -> tuple[str, ...]:
        """Return the practices of one group of one list; capitals and spaces do not matter."""
        plain = " ".join(group.casefold().split())
        same = self.groups["group"].map(lambda name: " ".join(name.casefold().split()) == plain).astype(bool)
        return tuple(self.groups.loc[(self.groups["list"] == list_id) & same, "practice_code"])


def own_lists(study: Study, max_bytes: int) -> OwnLists:
    """Read the lists and events that a study names.

    Raises
    ------
    SourceError
        When one of them cannot be used.
    """
    provenance: list[dict[str, object]] = []
    events = organisations.no_events()
    if study.events is not None:
        events, row = lists.read_events(study.events, max_bytes=max_bytes)
        provenance.append(row)
    gone = organisations.successors_on(events, study.period.last_day)
    listed: tuple[str, ...] = ()
    if study.area.file is not None:
        codes, row = local.read_codes(study.area.file, max_bytes)
        listed = tuple(dict.fromkeys(gone.get(code, code) for code in codes))
        provenance.append(row)
    rows: list[tuple[str, str, str]] = []
    across: dict[str, str] = {}
    for spec in study.lists:
        found, row = lists.read_list(spec.file, column=spec.column, max_bytes=max_bytes)
        now = {gone.get(code, code): group for code, group in found.groups.items()}
        # Where both practices of a merger are listed, the successor's own line counts.
        now |= {code: group for code, group in found.groups.items() if code not in gone}
        rows += [(code, spec.id, group) for code, group in now.items()]
        for code, group in found.groups.items():
            if now[gone.get(code, code)] != group:
                words = f"; in the list {spec.id} all of them count for {now[gone[code]]}, none for {group}"
                across[code] = across.get(code, "") + words
        provenance.append(row)
    groups = pd.DataFrame(rows, columns=schema.names("groups"), dtype=str)
    return OwnLists(listed, groups, events, tuple(provenance), across)
