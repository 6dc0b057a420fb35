"""Files laid out exactly as the practice-level appointments are published, with the truth behind them."""

from __future__ import annotations

import csv
import io
import zipfile
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from gpvar import catalogue
from gpvar.dates import MONTHS
from gpvar.errors import StudyError
from gpvar.problems import listing
from gpvar.simulate import _crosstab, england
from gpvar.simulate._crosstab import ACUTE, AXES, ROUTINE, Array, Month

__all__ = ["DATE_FORMS", "PLANTS", "Crosstab", "write_crosstab"]

DATE_FORMS = ("01APR2026", "2026-04-01", "APR2026", "01/04/2026")
PLANTS = ("mapping_step", "supplier_change", "unmapped")
_PLANTED_UNMAPPED = 0.2
#: The real file has about 1.0 million rows a month for 6,200 practices.
_ROWS_PER_PRACTICE = 160
_PER_ZIP = 3
_TEXTS = (
    "practice_name",
    "pcn_code",
    "pcn_name",
    "sub_icb_code",
    "sub_icb_name",
    "icb_code",
    "icb_name",
    "region_code",
    "region_name",
    "supplier",
)
# What the counts are, in the words of the file and not of the metric cards: a back-test then tries the cards too.
_SHORT = ("Same Day", "1 Day", "2 to 7 Days")
_LONG = ("8  to 14 Days", "15  to 21 Days", "22  to 28 Days", "More than 28 Days")
_PLANNED = (ROUTINE, "Care Home Visit")
_CAT, _TIME, _MODE, _STATUS = AXES[2], AXES[3], AXES[1], AXES[4]
_COUNTED: dict[str, dict[str, tuple[str, ...]]] = {
    "total": {},
    "same_day": {_TIME: ("Same Day",)},
    "within_14_days": {_TIME: (*_SHORT, _LONG[0])},
    "known_interval": {_TIME: (*_SHORT, *_LONG)},
    "attended": {_STATUS: ("Attended",)},
    "dna": {_STATUS: ("DNA",)},
    "face_to_face": {_MODE: ("Face-to-Face",)},
    "acute": {_CAT: (ACUTE,)},
    "acute_same_day": {_CAT: (ACUTE,), _TIME: ("Same Day",)},
    "routine": {_CAT: (ROUTINE,)},
    "planned": {_CAT: _PLANNED},
    "planned_within_7_days": {_CAT: _PLANNED, _TIME: _SHORT},
    "planned_within_14_days": {_CAT: _PLANNED, _TIME: (*_SHORT, _LONG[0])},
    "unmapped": {_CAT: ("Unmapped", "Inconsistent Mapping")},
}


@dataclass(frozen=True, slots=True)
class Crosstab:
    """What was written, and the truth behind it.

    Attributes
    ----------
    files
        The files, as a user would have downloaded them.
    practices
        One row per practice and month: practice_code, month, rows, supplier and the counts
        (total, same_day, within_14_days, known_interval, attended, dna, face_to_face, acute, acute_same_day, routine,
        planned, planned_within_7_days, planned_within_14_days, unmapped).
    england
        The same counts and rows, one row per month.
    planted
        Practice code → what was planted there.
    step_month
        The month from which a planted step holds.
    """

    files: tuple[Path, ...]
    practices: pd.DataFrame
    england: pd.DataFrame
    planted: dict[str, str]
    step_month: str


def write_crosstab(
    folder: Path,
    *,
    practices: pd.DataFrame | None = None,
    months: Sequence[str] = ("2026-04", "2026-05", "2026-06"),
    rows_per_month: int | None = None,
    split: bool | Collection[str] = False,
    date_form: str = "01APR2026",
    plant: Mapping[str, str] | None = None,
    zipped: bool = True,
    seed: int = 20260401,
) -> Crosstab:
    """Write the practice-level crosstab of some months, laid out as it is published.

    Parameters
    ----------
    folder
        Where to write; made if it is not there.
    practices
        One row per practice: practice_code, list_size and, where known, practice_name, pcn_code, pcn_name,
        sub_icb_code, sub_icb_name, icb_code, icb_name, region_code, region_name, supplier; yearly counts named
        ``gpad_annual_…`` set the practice's own figures, which are drawn otherwise. Without it, those of
        `gpvar.simulate.england`.
    months
        The months, as ``"2026-04"``. A zip holds three of them, in order, and is named after the last.
    rows_per_month
        Rows of each month; 160 a practice otherwise, which is the size of the real file.
    split
        Whether months are in two files by region, as some were published; or the months that are.
    date_form
        How the month is written: like ``"01APR2026"``, ``"2026-04-01"``, ``"APR2026"`` (with the older heading
        APPOINTMENT_MONTH) or ``"01/04/2026"``.
    plant
        Practice code → ``"mapping_step"`` (a quarter of its appointments relabelled as acute from the middle month
        on), ``"supplier_change"`` (from the middle month on) or ``"unmapped"`` (over half without a category).
    zipped
        Whether to write zips with Mapping.csv, or bare CSVs.
    seed
        The same seed gives the same files.

    Returns
    -------
    Crosstab
        The files, and the counts in them by practice and for England.
    """
    frame = _places(england().practices if practices is None else practices)
    planted = dict(plant or {})
    _refuse(planted, frame, date_form)
    folder.mkdir(parents=True, exist_ok=True)
    rng = np.random.default_rng(seed)
    figures = _crosstab.own_figures(rng, frame)
    rows_of = {kind: np.flatnonzero(frame["practice_code"].map(planted) == kind) for kind in PLANTS}
    figures["unmapped"][rows_of["unmapped"]] = _PLANTED_UNMAPPED
    share = _crosstab.categories(rng, figures)
    moved = _crosstab.move_to_acute(share, rows_of["mapping_step"])
    step = list(months)[len(months) // 2]
    wanted = _ROWS_PER_PRACTICE * len(frame) if rows_per_month is None else rows_per_month
    truth, files = [], []
    for group in [list(months)[at : at + _PER_ZIP] for at in range(0, len(months), _PER_ZIP)]:
        with _Written(folder, group[-1], zipped) as written:
            for month in group:
                after = month >= step
                drawn = _draw(rng, figures, moved if after else share, frame, month, wanted)
                here = _with_supplier(frame, rows_of["supplier_change"] if after else np.array([], int))
                halves = split if isinstance(split, bool) else month in split
                for name, chosen in _files_of(here, month, halves):
                    written.add(name, _csv(here, month, date_form, drawn, chosen))
                truth.append(_truth(here, month, drawn))
            written.add("Mapping.csv", _mapping(frame))
        files += written.files
    practice_truth = pd.concat(truth, ignore_index=True)
    whole = practice_truth.drop(columns=["practice_code", "supplier"]).groupby("month").sum().reset_index()
    return Crosstab(tuple(files), practice_truth, whole, planted, step)


def write_months(folder: Path, practices: pd.DataFrame, months: Mapping[str, Month]) -> tuple[Path, ...]:
    """Write months whose cells are given, laid out as they are published: zips of three, with their mapping.

    Parameters
    ----------
    folder
        Where to write; made if it is not there.
    practices
        As for `write_crosstab`, in the order of their codes.
    months
        Month → the cells of each practice, by its row.

    Returns
    -------
    tuple of Path
        The zips.
    """
    folder.mkdir(parents=True, exist_ok=True)
    frame, names, files = _places(practices), sorted(months), []
    for group in [names[at : at + _PER_ZIP] for at in range(0, len(names), _PER_ZIP)]:
        with _Written(folder, group[-1], zipped=True) as written:
            for month in group:
                for name, chosen in _files_of(frame, month, split=False):
                    written.add(name, _csv(frame, month, DATE_FORMS[0], months[month], chosen))
            written.add("Mapping.csv", _mapping(frame))
        files += written.files
    return tuple(files)


def _refuse(planted: Mapping[str, str], frame: pd.DataFrame, date_form: str) -> None:
    wrong = [f"{code} = {kind!r}" for code, kind in planted.items() if kind not in PLANTS]
    wrong += [code for code in planted if code not in set(frame["practice_code"])]
    if wrong:
        raise StudyError(
            f"It cannot be planted: {listing(wrong)}.", "plant", f"Use a code of the practices and {', '.join(PLANTS)}."
        )
    if date_form not in DATE_FORMS:
        raise StudyError(f"Months cannot be written like {date_form!r}.", "date_form", f"Use {', '.join(DATE_FORMS)}.")


def _places(practices: pd.DataFrame) -> pd.DataFrame:
    """Return the practices with every column that the files need, by code."""
    frame = practices.copy()
    if "list_size" not in frame and "mean_monthly_list_size" in frame:
        frame["list_size"] = frame["mean_monthly_list_size"]
    if "supplier" not in frame:
        frame["supplier"] = np.where(np.arange(len(frame)) % 5 < 3, "SUPPLIER A", "SUPPLIER B")
    for name in _TEXTS:
        frame[name] = frame[name].fillna("").astype(str) if name in frame else ""
    named = frame["sub_icb_name"] != ""
    board = frame["icb_name"].str.replace("Integrated Care Board", "ICB")
    frame["sub_icb_name"] = frame["sub_icb_name"].where(named, board + " - " + frame["sub_icb_code"])
    return frame.sort_values("practice_code", ignore_index=True)


def _with_supplier(frame: pd.DataFrame, changed: Array) -> pd.DataFrame:
    suppliers = frame["supplier"].to_numpy(dtype=object).copy()
    suppliers[changed] = "SUPPLIER Z"
    return frame.assign(supplier=suppliers)


def _draw(
    rng: np.random.Generator, figures: dict[str, Array], share: Array, frame: pd.DataFrame, month: str, wanted: int
) -> Month:
    given = _crosstab.constants()
    now = {
        name: value + given["movement"].get(name, 0.0) * rng.standard_normal(len(frame))
        for name, value in figures.items()
    }
    expected = frame["list_size"].to_numpy(float) * np.exp(now["rate"]) * given["season"][int(month[5:]) - 1]
    return _crosstab.draw_month(rng, now, share, expected, _rows_of_practices(expected, wanted))


def _rows_of_practices(expected: Array, wanted: int) -> Array:
    """Share the rows of a month out: more to larger practices, and none beyond half its appointments."""
    most = np.maximum(expected // 2, 1).astype(int)
    rows = np.zeros(len(expected), int)
    weight = np.sqrt(expected)
    for _ in range(8):
        open_to_more = rows < most
        left = wanted - rows.sum()
        if left <= 0 or not open_to_more.any():
            break
        more = np.floor(left * weight * open_to_more / weight[open_to_more].sum()).astype(int)
        more[np.flatnonzero(open_to_more)[: left - more.sum()]] += 1
        rows = np.minimum(rows + more, most)
    return np.maximum(rows, 1)


class _Written:
    """The file or files of one publication."""

    def __init__(self, folder: Path, last: str, zipped: bool) -> None:
        self.folder = folder
        self.files: list[Path] = []
        self.archive: zipfile.ZipFile | None = None
        if zipped:
            self.files.append(folder / f"Practice_Level_Crosstab_{_mon_yy(last)}.zip")
            self.archive = zipfile.ZipFile(self.files[0], "w", zipfile.ZIP_DEFLATED, compresslevel=1)

    def __enter__(self) -> _Written:
        return self

    def __exit__(self, *_: object) -> None:
        if self.archive is not None:
            self.archive.close()

    def add(self, name: str, texts: Iterator[str]) -> None:
        """Write one table."""
        if self.archive is not None:
            # A fixed time, so that the same seed gives the same bytes.
            entry = zipfile.ZipInfo(name, (2026, 1, 1, 0, 0, 0))
            entry.compress_type = zipfile.ZIP_DEFLATED
            with self.archive.open(entry, "w", force_zip64=True) as stream:
                for text in texts:
                    stream.write(text.encode("utf-8"))
            return
        self.files += [] if self.folder / name in self.files else [self.folder / name]
        with (self.folder / name).open("w", encoding="utf-8", newline="") as file:
            file.writelines(texts)


def _mon_yy(month: str) -> str:
    return f"{MONTHS[int(month[5:]) - 1][:3]}_{month[2:4]}"


def _files_of(frame: pd.DataFrame, month: str, split: bool) -> list[tuple[str, Array]]:
    """Return the names of a month's files, and which practices stand in each."""
    if not split:
        return [(f"Practice_Level_Crosstab_{_mon_yy(month)}.csv", np.full(len(frame), True))]
    first, second = catalogue.appointments.halves()
    region = frame["region_code"]
    inside = region.isin(first.region_codes).to_numpy()
    if not region.isin([*first.region_codes, *second.region_codes]).any():
        # Regions of a simulated England: every other one.
        regions = sorted(region.unique())
        inside = region.isin(regions[::2]).to_numpy()
    return [
        (f"Practice_Level_Crosstab_{half.name}_{_mon_yy(month)}.csv", chosen)
        for half, chosen in ((first, inside), (second, ~inside))
    ]


def _date(month: str, form: str) -> str:
    year, name = month[:4], MONTHS[int(month[5:]) - 1][:3].upper()
    return dict(
        zip(DATE_FORMS, (f"01{name}{year}", f"{month}-01", f"{name}{year}", f"01/{month[5:]}/{year}"), strict=True)
    )[form]


def _line(cells: Sequence[str]) -> str:
    text = io.StringIO()
    csv.writer(text, lineterminator="").writerow(cells)
    return text.getvalue()


def _csv(frame: pd.DataFrame, month: str, form: str, drawn: Month, chosen: Array) -> Iterator[str]:
    """Yield the text of one file, in pieces."""
    header = list(catalogue.layouts()["gpad_crosstab"].columns)
    if form == "APR2026":
        header[0] = "APPOINTMENT_MONTH"
    yield _line(header) + "\n"
    when = _date(month, form)
    columns = ["practice_code", "practice_name", "supplier", "pcn_code", "pcn_name", "sub_icb_code", "sub_icb_name"]
    left = [_line([when, *row]) for row in frame[columns].itertuples(index=False, name=None)]
    labels, cells = _crosstab.shape().labels, _crosstab.shape().cells
    names = [[labels[axis][at] for at in cells[number]] for number, axis in enumerate(AXES)]
    middle = [f",{_line(row)}," for row in zip(*names[:4], strict=True)]
    right = [f",{status}\n" for status in names[4]]
    rows = np.flatnonzero(chosen[drawn.practice])
    for first in range(0, len(rows), 100_000):
        at = rows[first : first + 100_000]
        triples = zip(drawn.practice[at].tolist(), drawn.cell[at].tolist(), drawn.count[at].tolist(), strict=True)
        yield "".join([f"{left[p]}{middle[c]}{n}{right[c]}" for p, c, n in triples])


def _mapping(frame: pd.DataFrame) -> Iterator[str]:
    yield _line(catalogue.layouts()["gpad_mapping"].columns) + "\n"
    columns = ["practice_code", "practice_name", "supplier", "pcn_code", "pcn_name", "sub_icb_code", "sub_icb_name"]
    columns += ["icb_code", "icb_name", "region_code", "region_name"]
    for row in frame[columns].itertuples(index=False, name=None):
        yield _line(row) + "\n"


def _truth(frame: pd.DataFrame, month: str, drawn: Month) -> pd.DataFrame:
    """Return the counts of each practice in a month, added up from the rows that were drawn."""
    labels, cells = _crosstab.shape().labels, _crosstab.shape().cells
    size = len(frame)
    found: dict[str, object] = {
        "practice_code": frame["practice_code"],
        "month": month,
        "supplier": frame["supplier"],
        "rows": np.bincount(drawn.practice, minlength=size),
    }
    for name, wanted in _COUNTED.items():
        take = np.full(cells.shape[1], True)
        for axis, chosen in wanted.items():
            take &= np.isin(labels[axis], chosen)[cells[AXES.index(axis)]]
        here = take[drawn.cell]
        weights = np.bincount(drawn.practice[here], weights=drawn.count[here], minlength=size)
        found[name] = weights.astype(np.int64)
    return pd.DataFrame(found)
