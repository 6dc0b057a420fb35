"""From records of text to counts and facts per practice, summed over the period."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from gpvar import catalogue
from gpvar.problems import Problems
from gpvar.sources.files.values import Numbers, parse_numbers
from gpvar.sources.local.layout import Records
from gpvar.study import Period, SourceSpec
from gpvar.study.columns import HOLDINGS, NUMBERS, PARTS, TEXTS, covariate_of, headings, metric_of

if TYPE_CHECKING:
    from pandas.core.groupby import DataFrameGroupBy

UNMAPPED = "unmapped"
_COUNTS = ["practice_code", "metric", "part", "value", "low", "high", "hidden", "months"]
_SHOWN = 4


@dataclass(frozen=True, slots=True)
class Collected:
    """What the records of a file hold, as `SourceTable` has it.

    Attributes
    ----------
    counts
        Per practice, metric and part, summed over the period.
    facts
        Per practice.
    impossible
        Characteristics that cannot be true.
    by_month
        The counts of each month, where the file has months.
    """

    counts: pd.DataFrame
    facts: pd.DataFrame
    impossible: tuple[tuple[str, str, float], ...]
    by_month: pd.DataFrame | None


def collect(records: Records, spec: SourceSpec, period: Period, problems: Problems) -> Collected:
    """Return what the records hold; every value that cannot be used is noted."""
    reader = _Columns(records, spec, problems)
    months = {metric: _counts_of(metric, parts, reader) for metric, parts in _counted(spec)}
    facts = _facts(reader, spec)
    reader.note_bad_cells()
    counts = [_over_period(metric, frames, reader) for metric, frames in months.items()]
    frame = pd.concat(counts, ignore_index=True) if counts else pd.DataFrame(columns=_COUNTS)
    by_month = [_beside(metric, frames) for metric, frames in months.items() if metric != UNMAPPED]
    return Collected(
        counts=frame,
        facts=facts,
        impossible=tuple(reader.impossible),
        by_month=pd.concat(by_month, ignore_index=True) if by_month and reader.has_months else None,
    )


def _counted(spec: SourceSpec) -> Iterator[tuple[str, list[str]]]:
    """Yield each metric of the file, and `unmapped`, with the parts that the file holds."""
    names = dict.fromkeys(
        key.partition(".")[0] for key in spec.columns if metric_of(key) or key.startswith("unmapped.")
    )
    for name in names:
        yield name, [part for part in PARTS if f"{name}.{part}" in spec.columns]


class _Columns:
    """The columns of a file as numbers, each read once, with what is wrong with them gathered by column."""

    def __init__(self, records: Records, spec: SourceSpec, problems: Problems) -> None:
        self.records = records
        self.spec = spec
        self.problems = problems
        self._read: dict[tuple[str, bool], Numbers] = {}
        self._bad: dict[tuple[str, str], list[int]] = {}
        self.impossible: list[tuple[str, str, float]] = []

    @cached_property
    def codes(self) -> pd.Series:
        """Practice code of each record."""
        return self.records.key["practice_code"]

    @cached_property
    def has_months(self) -> bool:
        """Whether a practice can have more than one record."""
        return "period" in self.spec.columns

    def numbers(self, heading: str, *, sentinels: bool = True) -> Numbers:
        """Return a column as numbers, noting the cells that are none."""
        if (heading, sentinels) not in self._read:
            found = parse_numbers(self.records.cells[heading], self.spec.missing, sentinels=sentinels)
            self._read[heading, sentinels] = found
            for bad in found.bad:
                self.note(heading, bad.why, bad.at)
        return self._read[heading, sentinels]

    def texts(self, heading: str) -> pd.Series:
        """Return a column as text with single spaces."""
        return self.records.cells[heading].fillna("").astype(str).str.split().str.join(" ")

    def note(self, heading: str, why: str, at: int) -> None:
        """Note a cell that cannot be used."""
        places = self._bad.setdefault((heading, why), [])
        if at not in places:
            places.append(at)

    def note_where(self, heading: str, why: str, wrong: np.ndarray) -> None:
        """Note every cell for which `wrong` is true."""
        for at in np.flatnonzero(wrong):
            self.note(heading, why, int(at))

    def possible(self, name: str, heading: str, value: np.ndarray, wrong: np.ndarray, why: str) -> np.ndarray:
        """Return values with impossible ones missing; where they are many the column is the wrong one, and is noted."""
        limit = catalogue.gates()["covariate_impossible"].thresholds["wrong_column_above"]
        if not wrong.any():
            return value
        if wrong.mean() > limit:
            self.note_where(heading, why, wrong)
            return value
        self.impossible += [(str(self.codes.iloc[at]), name, float(value[at])) for at in np.flatnonzero(wrong)]
        return np.where(wrong, np.nan, value)

    def note_bad_cells(self) -> None:
        """Add what was noted to the problems, a line for each column and reason."""
        for (heading, why), places in self._bad.items():
            rows = self.records.rows[heading].to_numpy()
            cells = self.records.cells[heading].astype(str).to_numpy()
            shown = ", ".join(f"row {rows[at]} ('{_short(cells[at])}')" for at in places[:_SHOWN])
            more = f" and {len(places) - _SHOWN:,} more" if len(places) > _SHOWN else ""
            letter = self.records.letters.get(heading)
            column = f"column {letter}" if letter else f"figure '{heading}'"
            mark = "?" if why.endswith("?") else "."
            said = f"{why[0].upper()}{why[1:].removesuffix('?')}, in the column '{heading}'{mark}"
            fix = _THOUSANDS if why.startswith("a point") else _FIXES.get(why, _FIX)
            self.problems.add(said, f"{column}: {shown}{more}", fix)

    def summed(self, key: str) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
        """Return value, low, high and hidden of a key, adding up its columns; a missing part makes the sum missing."""
        parts = [self.numbers(heading) for heading in headings(self.spec.columns[key])]
        low = np.sum([part.low for part in parts], axis=0)
        high = np.sum([part.high for part in parts], axis=0)
        hidden = np.any([part.hidden for part in parts], axis=0) & ~np.isnan(low)
        return np.where(hidden, np.nan, low), low, high, hidden


_FIX = (
    "Correct the value; leave the cell blank where there is none, or list the mark under missing = [ ] in [[source]]."
)
_NEGATIVE = "a count is below nought"
_NOT_WHOLE = "a count is not a whole number"
_PERCENT = "a percentage stands where a count is needed"
_NOT_SHARE = "a share is not between 0 and 100 %"
_NOT_SCORE = "a score lies outside its scale"
_OVER_LIST = "a register is larger than the list"
_MIXED = "a share in per cent stands among shares from 0 to 1"
_THOUSANDS = "Write thousands as 7433 or 7,433; a count has no decimals."
_FIXES = {
    _NEGATIVE: "A count cannot be below nought: correct it, or list the mark under missing = [ ] in [[source]].",
    _NOT_WHOLE: "Name the column of counts, not of rates or shares; gpvar works out shares itself.",
    _PERCENT: "Name the column of counts, not of percentages; gpvar works out shares itself.",
    _NOT_SCORE: "These are not scores: correct [source.columns], or take the column out.",
    _OVER_LIST: "These are not the right columns, or not of the same practices: correct [source.columns].",
    _MIXED: "Write all shares of the column in one unit, 0 to 1 or per cent, and put % in the heading if per cent.",
    _NOT_SHARE: "Shares run from 0 to 1, or from 0 to 100 when all of the column does.",
    "a formula has failed here": "Mend the formula in Excel, or list its mark under missing = [ ] in [[source]].",
    "the letter O stands where the figure 0 belongs": "Write the figure 0.",
    "a comma may stand for thousands or for a decimal point": "Write numbers as 1234.5, without commas.",
}


def _short(text: str) -> str:
    text = " ".join(text.split())
    return text if len(text) <= 30 else f"{text[:29]}…"


def _counts_of(metric: str, parts: list[str], reader: _Columns) -> dict[str, pd.DataFrame]:
    """Return the counts of one metric by part, a row per practice and month."""
    columns = {part: reader.summed(f"{metric}.{part}") for part in parts}
    for part in parts:
        _check_counts(metric, part, reader)
    frames = {
        part: pd.DataFrame(
            {
                "practice_code": reader.codes,
                "month": reader.records.key["month"],
                "value": value,
                "low": low,
                "high": high,
                "hidden": hidden,
                "months": 1,
            }
        )
        for part, (value, low, high, hidden) in columns.items()
    }
    if reader.spec.sum_rows:
        frames = {part: _over_rows(frame) for part, frame in frames.items()}
    return frames


def _over_period(metric: str, frames: Mapping[str, pd.DataFrame], reader: _Columns) -> pd.DataFrame:
    """Return the counts of one metric per practice; a month counts only when all its parts are there."""
    if reader.has_months:
        complete = ~np.any([frame["low"].isna() for frame in frames.values()], axis=0)
        frames = {part: _over_months(frame, complete) for part, frame in frames.items()}
    return pd.concat([frame.assign(metric=metric, part=part) for part, frame in frames.items()])[_COUNTS]


def _beside(metric: str, frames: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    """Return the counts of one metric with both parts of a month in one row."""
    first = next(iter(frames.values()))
    columns = {part: frames[part]["value"] if part in frames else np.nan for part in PARTS}
    return first[["practice_code", "month"]].assign(metric=metric, **columns)


def _whole(groups: DataFrameGroupBy, name: str) -> pd.Series:
    """Return each group's sum; one part missing makes it missing."""
    return groups[name].sum().where(groups[name].count() == groups.size())


def _over_rows(frame: pd.DataFrame) -> pd.DataFrame:
    """Add up rows that are parts of one figure; one part missing makes the sum missing."""
    groups = frame.groupby(["practice_code", "month"])
    sums = pd.DataFrame({name: _whole(groups, name) for name in ("value", "low", "high")})
    return sums.assign(hidden=groups["hidden"].any(), months=1).reset_index()


def _over_months(frame: pd.DataFrame, complete: np.ndarray) -> pd.DataFrame:
    """Add up months; a sum over a hidden month is itself hidden, between the sums of the ends."""
    every = frame["practice_code"].drop_duplicates()
    groups = frame[complete].groupby("practice_code")
    added = groups.agg(low=("low", "sum"), high=("high", "sum"), hidden=("hidden", "any"), months=("months", "sum"))
    sums = added.assign(value=_whole(groups, "value")).reindex(every)
    sums["hidden"] = sums["hidden"].eq(True)
    sums["months"] = sums["months"].fillna(0).astype(int)
    return sums.rename_axis("practice_code").reset_index()


def _check_counts(metric: str, part: str, reader: _Columns) -> None:
    card = catalogue.metrics().get(metric)
    exposure = card is not None and card.kind == "rate" and part == "denominator"
    for heading in headings(reader.spec.columns[f"{metric}.{part}"]):
        numbers = reader.numbers(heading)
        with np.errstate(invalid="ignore"):
            negative = numbers.value < 0
            broken = np.abs(numbers.value - np.round(numbers.value)) > 1e-6
        reader.note_where(heading, _PERCENT, numbers.percent)
        reader.note_where(heading, _NEGATIVE, negative)
        if not exposure:
            broken = broken & ~negative & ~numbers.percent
            texts = reader.records.cells[heading].astype(str).str.strip()
            dotted = broken & texts.str.fullmatch(r"\d{1,3}(?:\.\d{3})+").to_numpy(bool)
            for at in np.flatnonzero(dotted):
                meant = texts.iloc[at].replace(".", ",")
                reader.note(heading, f"a point may stand for thousands: is it {meant}?", int(at))
            reader.note_where(heading, _NOT_WHOLE, broken & ~dotted)


def _facts(reader: _Columns, spec: SourceSpec) -> pd.DataFrame:
    """Return texts, sizes and characteristics per practice: means of list sizes, the last month of everything else."""
    columns: dict[str, np.ndarray | pd.Series] = {}
    for name in TEXTS:
        if name in spec.columns:
            columns[name] = reader.texts(str(spec.columns[name]))
    for name in HOLDINGS:
        if name in spec.columns:
            columns[name] = _over_practices(reader.texts(str(spec.columns[name])), reader.codes)
    for name in NUMBERS:
        if name in spec.columns and not name.startswith(UNMAPPED):
            columns[name] = _plain_number(reader, name)
    for key in spec.columns:
        covariate = covariate_of(key)
        if covariate is not None and not metric_of(key):
            columns |= _characteristic(reader, key, covariate)
    frame = pd.DataFrame(columns, index=reader.codes.index)
    if not reader.has_months and not spec.sum_rows:
        return frame.set_index(reader.codes)
    return _latest(frame, reader.records.key)


def _over_practices(texts: pd.Series, codes: pd.Series) -> pd.Series:
    """Return what the rows of a practice say together, as ``"e-RS + telephone"``."""
    said = texts.groupby(codes).agg(lambda cells: " + ".join(dict.fromkeys(cell for cell in cells if cell)))
    return codes.map(said)


def _plain_number(reader: _Columns, name: str) -> np.ndarray:
    total = np.zeros(len(reader.codes))
    for heading in headings(reader.spec.columns[name]):
        numbers = reader.numbers(heading, sentinels=name != "list_jump_pct")
        total = total + numbers.value
        if name != "list_jump_pct":
            with np.errstate(invalid="ignore"):
                reader.note_where(heading, _NEGATIVE, numbers.value < 0)
    return total


def _characteristic(reader: _Columns, key: str, covariate: str) -> dict[str, np.ndarray | pd.Series]:
    shape = catalogue.covariate(covariate).shape
    names = headings(reader.spec.columns[key])
    if "." in key:
        value = reader.summed(key)[0]
        with np.errstate(invalid="ignore"):
            value = reader.possible(key, names[0], value, value < 0, _NEGATIVE)
            base = key.replace(".numerator", ".denominator")
            if base != key and base in reader.spec.columns:
                over = value > reader.summed(base)[0]
                value = reader.possible(key, names[0], value, over, _OVER_LIST)
        return {key: value}
    if shape == "category":
        texts = reader.texts(names[0])
        return {covariate: texts.mask(texts == "")}
    if shape == "score":
        return {covariate: _score(reader, names[0], covariate)}
    if shape == "prevalence":
        return {covariate: _as_share(reader, names[0], covariate)}
    columns = {f"{covariate}.{column_name(heading)}": heading for heading in names}
    return {name: _as_share(reader, heading, name) for name, heading in columns.items()}


def _score(reader: _Columns, heading: str, covariate: str) -> np.ndarray:
    """Return a column of scores; those outside the scale cannot be true."""
    value = reader.numbers(heading).value
    least, most = catalogue.gates()["covariate_impossible"].more["ranges"].get(covariate, (-np.inf, np.inf))
    with np.errstate(invalid="ignore"):
        return reader.possible(covariate, heading, value, (value < least) | (value > most), _NOT_SCORE)


def column_name(heading: str) -> str:
    """Return a heading as part of a column's name: one form of each letter, no spaces."""
    return "_".join(unicodedata.normalize("NFC", heading).split())


def _as_share(reader: _Columns, heading: str, name: str) -> np.ndarray:
    """Return a column of shares as 0 to 1, taken from per cent where the heading or the values say so."""
    numbers = reader.numbers(heading)
    value = numbers.value
    says_so = any(word in heading.casefold() for word in ("%", "percent", "per cent", "pct")) or numbers.percent.any()
    with np.errstate(invalid="ignore"):
        above = value > 1 + 1e-9
        in_percent = says_so or _in_percent(value, above)
        if not in_percent and above.any():
            return reader.possible(name, heading, value, above | (value < 0), _MIXED)
        share = value / 100 if in_percent else value
        return reader.possible(name, heading, share, (share < 0) | (share > 1 + 1e-9), _NOT_SHARE)


def _in_percent(value: np.ndarray, above: np.ndarray) -> bool:
    """Return whether a column is in per cent: most values are above 1, or those that are lie near the others.

    A few values above 1 among shares from 0 to 1 are faults; the column is not made a hundredth of itself for them.
    """
    limits = catalogue.gates()["covariate_impossible"].thresholds
    known = ~np.isnan(value)
    if not above.any():
        return False
    share = above.sum() / known.sum()
    if share > limits["percent_above"] or share <= limits["wrong_column_above"]:
        return bool(share > limits["percent_above"])
    return bool(np.median(value[above]) <= limits["mixed_units_above"] * np.median(value[known & ~above]))


def _latest(frame: pd.DataFrame, key: pd.DataFrame) -> pd.DataFrame:
    ordered = frame.assign(practice_code=key["practice_code"], month=key["month"]).sort_values(
        ["practice_code", "month"], kind="stable"
    )
    texts = [name for name in TEXTS if name in frame]
    ordered[texts] = ordered[texts].replace("", None)
    groups = ordered.groupby("practice_code")
    latest = groups[list(frame.columns)].last()
    latest[texts] = latest[texts].fillna("")
    if "ag_claims" in frame:
        latest["ag_claims"] = _whole(groups, "ag_claims")
    if "list_size" in frame:
        latest["list_size"] = groups["list_size"].mean()
        if "list_jump_pct" not in frame and key["month"].ne("").all() and not key.duplicated().any():
            change = 100 * groups["list_size"].pct_change(fill_method=None)
            latest["list_jump_pct"] = change.abs().groupby(ordered["practice_code"]).max()
    if "supplier" in frame and key["month"].ne("").all():
        latest["supplier_changes"] = groups["supplier"].nunique() - 1
    return latest
