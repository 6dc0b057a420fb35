"""An account of the appointments that were read: each file's rows, and what a reader should know of them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import numpy as np
import pandas as pd

from gpvar.catalogue import appointments as facts
from gpvar.problems import count, listing
from gpvar.sources._parts import Part
from gpvar.sources._publications import in_words, reasons
from gpvar.sources._tabular import provenance_of
from gpvar.sources.appointments.months import Months, Version
from gpvar.sources.appointments.tally import Counted, wanted
from gpvar.study import Period

_Maps = Mapping[str, tuple[Part, pd.DataFrame]]


def summed(used: Mapping[str, Version]) -> tuple[list[str], np.ndarray, np.ndarray]:
    """Return practice codes, their counts by name of `wanted` over the months, and in how many months they are."""
    names = len(wanted())
    codes = sorted({code for version in used.values() for code in version.counts.codes})
    place = pd.Index(codes)
    sums, months = np.zeros((len(codes), names), np.int64), np.zeros(len(codes), int)
    for version in used.values():
        at = place.get_indexer(list(version.counts.codes))
        sums[at] += version.counts.values[:, :names]
        months[at] += 1
    return codes, sums, months


def provenance(
    tables: Sequence[Counted], months: Months, maps: _Maps, again: Sequence[tuple[Part, str]]
) -> Iterator[dict[str, object]]:
    """Yield one row for each table read, with why rows of it were not used."""
    used = {(part.member.path, part.member.name, month) for month, v in months.used.items() for part in v.parts}
    for table in tables:
        member = table.part.member
        kept = other = copied = passed = 0
        for month, counts in table.months.items():
            key = (str(member.path), member.name, month)
            if (member.path, member.name, month) in used:
                kept += counts.rows
            elif key in months.copies:
                copied += counts.rows
            elif key in months.passed_over:
                passed += counts.rows
            else:
                other += counts.rows
        extent = table.extent
        strangers = extent.rows_read - extent.rows_kept
        why = reasons(
            (other, "of months outside the period"),
            (copied, "that another file holds too"),
            (passed, "of an edition that was not chosen"),
            (strangers, f"of no practice, with {count(extent.left_out, 'appointment')}"),
        )
        edition = max(table.months, default="")
        yield provenance_of(table.part, rows_read=extent.rows_read, rows_kept=kept, reason=why, edition=edition)
    for month, (part, frame) in sorted(maps.items()):
        yield provenance_of(part, rows_read=len(frame), rows_kept=len(frame), edition=month)
    for part, why in again:
        yield provenance_of(part, rows_read=0, rows_kept=0, reason=why)


def remarks_on(
    tables: Sequence[Counted], used: Mapping[str, Version], places: pd.DataFrame | None, period: Period
) -> Iterator[str]:
    """Yield totals to hold against the publication, and what a reader should know of the files."""
    if not used:
        return
    yield from _totals(used, period)
    yield from _strange(used)
    rows_out = sum(table.extent.rows_read - table.extent.rows_kept for table in tables)
    if rows_out:
        left_out = count(sum(table.extent.left_out for table in tables), "appointment")
        strangers = listing(dict.fromkeys(code for table in tables for code in table.extent.strangers), 4)
        yield f"{count(rows_out, 'row')} with {left_out} are of no practice ({strangers}) and in no total."
    repeated = sum(table.extent.repeated for table in tables)
    if repeated:
        yield (
            f"{count(repeated, 'row repeats', 'rows repeat')} the practice, month and labels of a row before; "
            "all of them were counted."
        )
    codes, _, months = summed(used)
    short = int((months < len(used)).sum())
    if short:
        yield f"{count(short, 'practice is', 'practices are')} not in every month of the period."
    several = {code for v in used.values() for code in np.array(v.counts.codes)[v.counts.suppliers > 1].tolist()}
    if several:
        said = count(len(several), "practice has", "practices have")
        yield f"{said} more than one supplier in a month: {listing(sorted(several), 5)}."
    unplaced = sorted(set(codes) - set(places["practice_code"])) if places is not None else []
    if unplaced:
        said = count(len(unplaced), "practice is", "practices are")
        yield f"{said} not in Mapping.csv: {listing(unplaced, 5)}."


def _totals(used: Mapping[str, Version], period: Period) -> Iterator[str]:
    names = list(wanted())
    codes, sums, _ = summed(used)
    total, same_day = (int(sums[:, names.index(name)].sum()) for name in ("total", "same_day_share.numerator"))
    rows = sum(version.counts.rows for version in used.values())
    yield (
        f"These files hold, {period.label}: {total:,} appointments, {100 * same_day / max(total, 1):.1f} % on "
        f"the day of booking, at {len(codes):,} practices, in {rows:,} rows."
    )
    if len(used) > 1:
        each = (f"{in_words(month)} {version.counts.total:,}" for month, version in sorted(used.items()))
        yield f"Appointments by month, to hold against the publication: {'; '.join(each)}."
    for month, printed in facts.published().items():
        if month in used:
            here = used[month].counts.total
            differ = "as published" if here == printed else f"{here - printed:+,} against the {printed:,} published"
            yield f"{in_words(month)}: {here:,} appointments, {differ}."


def _strange(used: Mapping[str, Version]) -> Iterator[str]:
    """Yield labels that the catalogue does not know, with their appointments."""
    found: dict[str, dict[str, int]] = {}
    for version in used.values():
        for column, labels in version.counts.strange.items():
            for label, number in labels.items():
                held = found.setdefault(column, {})
                held[label] = held.get(label, 0) + number
    for column, labels in found.items():
        named = listing((f"'{label}' ({number:,} appointments)" for label, number in labels.items()), 6)
        yield (
            f"The column {column} holds labels that gpvar does not know: {named}. They are in every total, and in no "
            "figure that goes by the name of a label."
        )
