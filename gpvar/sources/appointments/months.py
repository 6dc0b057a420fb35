"""From tables of the appointments crosstab to one set of counts a month: halves put together, copies used once."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from gpvar.catalogue import appointments as facts
from gpvar.problems import Problems, count, listing
from gpvar.sources._parts import Part
from gpvar.sources._publications import in_words
from gpvar.sources.appointments.own_downloads import half_of
from gpvar.sources.appointments.tally import Counted, MonthCounts
from gpvar.study import Period
from gpvar.study.model import months_of

LATEST = "latest"


@dataclass(frozen=True, slots=True)
class Version:
    """A month as one publication has it.

    Attributes
    ----------
    edition
        The last month of the publication; blank where a file lies on its own.
    """

    counts: MonthCounts
    parts: tuple[Part, ...]
    edition: str

    @property
    def label(self) -> str:
        """What to call it in a message."""
        return listing((part.member.label for part in self.parts), 3)

    @property
    def halves(self) -> set[str]:
        """The names of the halves that its files say they are."""
        return {half for part in self.parts for half in [half_of(part)] if half}


@dataclass(frozen=True, slots=True)
class Months:
    """The months of a study.

    Attributes
    ----------
    used
        Month → the one version used.
    copies
        Parts that hold a month again, word for word, and the version used in their place.
    passed_over
        Parts of other editions that were not chosen.
    """

    used: dict[str, Version]
    copies: dict[tuple[str, str, str], str]
    passed_over: dict[tuple[str, str, str], str]
    remarks: tuple[str, ...]


def resolve(
    tables: Sequence[Counted], period: Period, edition: str, region: Mapping[str, str], problems: Problems
) -> Months:
    """Return each month of the period once, noting months that are missing, halved or told in two ways.

    Parameters
    ----------
    tables
        Every table of the crosstab, added up.
    period
        The study's period.
    edition
        Which publication to use where two differ: its last month, ``"latest"``, or blank for none.
    region
        Region of each practice by code, as far as a mapping says; may be empty.
    problems
        What is wrong is noted here.
    """
    editions = _editions(tables)
    used: dict[str, Version] = {}
    copies: dict[tuple[str, str, str], str] = {}
    passed: dict[tuple[str, str, str], str] = {}
    remarks: list[str] = []
    for month in months_of(period):
        versions = _versions(month, tables, editions, copies, remarks, region)
        kept = _without_copies(versions, copies, remarks)
        if len({version.edition for version in kept}) == 1:
            kept = _together(kept, [], region)
        chosen = _choose(kept, edition, problems)
        if chosen is None:
            continue
        for other in kept:
            if other is not chosen:
                passed |= {(*_key(part), month): chosen.label for part in other.parts}
                remarks.append(f"{in_words(month)}: {chosen.label} was used and not {other.label}, as the study asks.")
        _note_half(chosen, problems)
        used[month] = chosen
    _note_missing(used, tables, period, problems)
    return Months(used, copies, passed, tuple(remarks))


def _key(part: Part) -> tuple[str, str]:
    return str(part.member.path), part.member.name


def _editions(tables: Sequence[Counted]) -> dict[Path, str]:
    """Return the last month in each zip; a file on its own does not say of which publication it is."""
    found: dict[Path, str] = {}
    for table in tables:
        if table.part.member.name:
            path = table.part.member.path
            found[path] = max([found.get(path, ""), *table.months])
    return found


def _versions(
    month: str,
    tables: Sequence[Counted],
    editions: Mapping[Path, str],
    copies: dict[tuple[str, str, str], str],
    remarks: list[str],
    region: Mapping[str, str],
) -> list[Version]:
    """Return what each publication has of a month, its halves put together."""
    found: dict[object, list[Version]] = {}
    for table in tables:
        if month in table.months:
            member = table.part.member
            home: object = member.path if member.name else (member.path.parent, bool(half_of(table.part)))
            version = Version(table.months[month], (table.part,), editions.get(member.path, ""))
            found.setdefault(home, []).append(version)
    joined = []
    for versions in found.values():
        joined += _together(_without_copies(versions, copies, remarks), remarks, region)
    return joined


def _together(versions: list[Version], remarks: list[str], region: Mapping[str, str]) -> list[Version]:
    """Put versions together that are different halves of one table by their names, or hold different regions."""
    if len(versions) < 2:
        return versions
    halves = [version.halves for version in versions]
    different = all(halves) and len(set().union(*halves)) == sum(map(len, halves))
    codes = [set(version.counts.codes) for version in versions]
    shared = sum(map(len, codes)) - len(set().union(*codes))
    if not different and not _of_different_regions(codes, region):
        return versions
    if shared:
        month = in_words(versions[0].counts.month)
        remarks.append(f"{month}: {count(shared, 'practice')} stand in both halves; their rows were added up.")
    whole = _added([version.counts for version in versions])
    return [Version(whole, tuple(part for version in versions for part in version.parts), versions[0].edition)]


def _of_different_regions(codes: Sequence[set[str]], region: Mapping[str, str]) -> bool:
    """Return whether no two sets of practices have a region in common, and each practice has a known one."""
    regions = [{region.get(code, "") for code in held} for held in codes]
    return all("" not in held for held in regions) and len(set().union(*regions)) == sum(map(len, regions))


def _added(parts: Sequence[MonthCounts]) -> MonthCounts:
    """Return the sum of parts of one month."""
    categories = tuple(dict.fromkeys(name for part in parts for name in part.categories))
    frames = []
    for part in parts:
        named = part.values.shape[1] - len(part.categories)
        columns = [*range(named), *part.categories]
        frames.append(pd.DataFrame(part.values, index=list(part.codes), columns=columns, dtype=np.int64))
    values = pd.concat(frames).fillna(0).groupby(level=0).sum()
    named = parts[0].values.shape[1] - len(parts[0].categories)
    supplier: dict[str, str] = {}
    suppliers: dict[str, int] = {}
    for part in parts:
        supplier |= dict(zip(part.codes, part.supplier, strict=True))
        suppliers |= dict(zip(part.codes, part.suppliers.tolist(), strict=True))
    strange: dict[str, dict[str, int]] = {}
    for part in parts:
        for column, labels in part.strange.items():
            held = strange.setdefault(column, {})
            for label, number in labels.items():
                held[label] = held.get(label, 0) + number
    return dataclasses.replace(
        parts[0],
        codes=tuple(values.index),
        values=values[[*range(named), *categories]].to_numpy(np.int64),
        categories=categories,
        supplier=tuple(supplier[code] for code in values.index),
        suppliers=np.array([suppliers[code] for code in values.index]),
        rows=sum(part.rows for part in parts),
        strange=strange,
    )


def _same(one: MonthCounts, other: MonthCounts) -> bool:
    return (
        one.codes == other.codes
        and one.rows == other.rows
        and set(one.categories) == set(other.categories)
        and np.array_equal(_ordered(one), _ordered(other))
    )


def _ordered(counts: MonthCounts) -> np.ndarray:
    """Return values with the categories by name, as two files may bring new ones in another order."""
    named = counts.values.shape[1] - len(counts.categories)
    order = [named + at for at in np.argsort(counts.categories)]
    return counts.values[:, [*range(named), *order]]


def _without_copies(
    versions: Sequence[Version], copies: dict[tuple[str, str, str], str], remarks: list[str]
) -> list[Version]:
    """Return versions that differ; what is the same again is used once."""
    kept: list[Version] = []
    for version in versions:
        first = next((other for other in kept if _same(other.counts, version.counts)), None)
        if first is None:
            kept.append(version)
            continue
        month = version.counts.month
        copies |= {(*_key(part), month): first.label for part in version.parts}
        remarks.append(f"{in_words(month)} is the same in {first.label} and {version.label}: it was used once.")
        # The later publication that says the same stands for it, so that an edition asked for is found.
        if version.edition > first.edition:
            kept[kept.index(first)] = dataclasses.replace(first, edition=version.edition)
    return kept


def _choose(versions: list[Version], edition: str, problems: Problems) -> Version | None:
    """Return the version to use; where several differ and the study names none, note them all."""
    if len(versions) < 2:
        return versions[0] if versions else None
    wanted = max(version.edition for version in versions) if edition == LATEST else edition
    named = [version for version in versions if version.edition and version.edition == wanted]
    if len(named) == 1:
        return named[0]
    month = in_words(versions[0].counts.month)
    told = "; ".join(
        f"{version.label} has {version.counts.total:,} appointments at {len(version.counts.codes):,} practices"
        for version in versions
    )
    held = [set(version.counts.codes) for version in versions]
    if len(set().union(*held)) == sum(map(len, held)):
        names = ", ".join(half.name for half in facts.halves())
        problems.add(
            f"{month} stands in {len(versions)} tables that hold different practices: {told}.",
            "",
            "If they are parts of one publication, name its Mapping.csv too, or give them the names that they were "
            f"published under ({names}). Otherwise leave out what is not the publication.",
        )
        return None
    known = sorted({version.edition for version in versions if version.edition})
    fix = "Keep the file of the later publication, which may hold corrections, and take the other out of the study."
    if len(known) > 1:
        fix = (
            f'Later publications may hold corrections. Name the one to use with edition = "{known[-1]}" under '
            f'[[source]] (or edition = "{LATEST}"), or take one of the files out of the study.'
        )
    problems.add(f"{month} is told in {len(versions)} ways: {told}.", "", fix)
    return None


def _note_half(version: Version, problems: Problems) -> None:
    """Note a month of which one half is there and the other is not."""
    named = [half.name for half in facts.halves()]
    missing = [name for name in named if name not in version.halves]
    if version.halves and missing:
        problems.add(
            f"{in_words(version.counts.month)} was published in {len(named)} files, and only one is here: "
            f"{listing(missing)} is missing.",
            version.label,
            "Download the other file from the same page, or use the zip that holds both.",
        )


def _note_missing(used: Mapping[str, Version], tables: Sequence[Counted], period: Period, problems: Problems) -> None:
    told = {month for table in tables for month in table.months}
    missing = [month for month in months_of(period) if month not in told]
    if not missing:
        return
    here = f"These files hold {listing((in_words(month) for month in sorted(told)), 12)}."
    fix = "Each publication holds three months: download those that hold the missing months"
    inside = sorted(used)
    if inside and inside == [month for month in months_of(Period(inside[0], inside[-1]))]:
        fix += f', or set period = "{inside[0]}..{inside[-1]}" in study.toml'
    problems.add(
        f"The appointments of {count(len(missing), 'month')} of the study's period are missing: "
        f"{listing((in_words(month) for month in missing), 12)}. {here}",
        "",
        f"{fix}.",
    )
