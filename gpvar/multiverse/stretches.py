"""Which stretches of months a study holds beside its period, and the counts of any of them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import pandas as pd

from gpvar.analysis.passing import crosses_a_break
from gpvar.catalogue import countings
from gpvar.study import Period, months_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from gpvar.multiverse.setting import Setting

_LEAST_MONTHS = 6


@dataclass(frozen=True, slots=True)
class Stretch:
    """Months whose counts are those of periods added up, or taken off."""

    parts: tuple[tuple[int, Period], ...]

    @property
    def months(self) -> int:
        """How many months it has."""
        return sum(sign * period.months for sign, period in self.parts)


def stretches_of(setting: Setting) -> dict[str, Stretch | str]:
    """Return the stretch that each option of `period` stands for, or why there is none."""
    study = setting.table.study.period
    held = _held(setting)
    found: dict[str, Stretch | str] = {"study": Stretch(((1, study),))}
    inside = [part for part in held if study.start <= part.start and part.end <= study.end]
    found["rest"] = Stretch(((1, study), (-1, inside[0]))) if inside else "no_data"
    months = [Period(month, month) for month in months_of(study)]
    every = len(months) >= _LEAST_MONTHS and set(months) <= set(inside)
    half = len(months) // 2
    for name, part in (("first_half", months[:half]), ("second_half", months[half:])):
        found[name] = Stretch(tuple((1, month) for month in part)) if every else "no_data"
    around = [part for part in held if part.start <= study.start and study.end <= part.end]
    whole = [part for part in around if not crosses_a_break(setting.card, study, part)]
    found["longer"] = Stretch(((1, whole[0]),)) if whole else "crosses_break" if around else "no_data"
    return found


def _held(setting: Setting) -> list[Period]:
    """Return the other periods of which the study holds the metric, the first and then the shortest first."""
    rows = setting.table.periods
    rows = rows.loc[rows["metric"] == setting.card.id, ["start", "end"]].drop_duplicates()
    found = {Period(str(start), str(end)) for start, end in rows.itertuples(index=False)}
    return sorted(found - {setting.table.study.period}, key=lambda period: (period.start, period.months))


def counted(setting: Setting, names: Iterable[str], stretch: Stretch) -> pd.Series | None:
    """Return counts of a stretch added up by practice, in the order of the setting's practices.

    Parameters
    ----------
    setting
        Holds the counts.
    names
        ``"measure.numerator"``, or a name of the catalogue's counts; a hyphen before one takes it off.
    stretch
        Of which months.

    Returns
    -------
    Series or None
        NaN where a count is not known, or where less than nothing is left; None where the study does not hold it.
    """
    total: pd.Series | None = None
    for name in names:
        column = _column(setting, name.removeprefix("-"), stretch)
        if column is None:
            return None
        signed = -column if name.startswith("-") else column
        total = signed if total is None else total + signed
    return None if total is None else total.where(total >= 0.0)


def _column(setting: Setting, name: str, stretch: Stretch) -> pd.Series | None:
    for column in countings.counts().get(name, (name,)):
        parts = list(_parts(setting, column, stretch))
        if all(part is not None and part.notna().any() for part in parts):
            return sum(sign * part for (sign, _), part in zip(stretch.parts, parts, strict=True))
    return None


def _parts(setting: Setting, column: str, stretch: Stretch) -> Iterator[pd.Series | None]:
    metric, _, part = column.partition(".")
    table, codes = setting.table, setting.counts.practice_code
    for _, period in stretch.parts:
        if period == table.study.period:
            rows = table.outcomes[(table.outcomes["metric"] == metric) & (table.outcomes["state"] == "")]
        else:
            rows = table.periods
            rows = rows[(rows["metric"] == metric) & (rows["start"] == period.start) & (rows["end"] == period.end)]
            rows = rows[rows["months"].isna() | (rows["months"] == period.months)]
        yield rows.set_index("practice_code")[part].astype(float).reindex(codes) if len(rows) else None
