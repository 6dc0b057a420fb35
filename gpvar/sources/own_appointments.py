"""A practice's own appointments against the published ones; the urgent measure if slots were mapped otherwise."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from gpvar import catalogue
from gpvar.catalogue import appointments as facts
from gpvar.errors import SourceError
from gpvar.organisations import looks_like_practice_code
from gpvar.problems import Problems, count, listing
from gpvar.sources._parts import Part, SourceTable
from gpvar.sources.appointments.crosstab import COLUMNS, COUNT, LABELS, Array, Reading, Rows, Vocabulary, consume
from gpvar.sources.appointments.crosstab_csv import canonical, whole
from gpvar.sources.appointments.tally import count_rows, wanted
from gpvar.sources.files.grid import plain_heading
from gpvar.sources.files.reading import read_rows
from gpvar.sources.files.values import parse_month

__all__ = ["OwnCheck", "OwnData", "compare", "mapping_what_if", "read_own"]

_SHOWN = 4
_FIX = "Use the download as the clinical system gave it, or mend the cells and save it again."


@dataclass(frozen=True, slots=True)
class OwnData:
    """A practice's own appointments.

    Attributes
    ----------
    practice_code
        The practice, as the file or the person who asks says.
    labels
        The label columns that the file has, by their tidy names.
    rows
        month, the label columns and count, one row for each combination.
    counts
        As `SourceTable.counts`, over every month of the file; figures that need a column it does not have are left out.
    months
        The months in it.
    """

    path: Path
    practice_code: str
    labels: tuple[str, ...]
    rows: pd.DataFrame
    counts: pd.DataFrame
    months: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class OwnCheck:
    """How a practice's own appointments and the published ones differ.

    Attributes
    ----------
    cells
        One row per month, column and label: month, column, label, own, published, difference (own less published).
        The column ``""`` is the total.
    figures
        One row per metric: metric, own_numerator, own_denominator, own_value, published_numerator,
        published_denominator, published_value, over the months that both hold.
    months
        The months that both hold.
    only_own, only_published
        The months that one of them holds.
    own_total, published_total
        Appointments over the months that both hold.
    same
        How many rows of `cells` agree exactly.
    """

    practice_code: str
    cells: pd.DataFrame
    figures: pd.DataFrame
    months: tuple[str, ...]
    only_own: tuple[str, ...]
    only_published: tuple[str, ...]
    own_total: int
    published_total: int
    same: int


def read_own(path: Path, practice_code: str = "") -> OwnData:
    """Read a practice's own appointments: the columns of the crosstab, in CSV or Excel.

    Parameters
    ----------
    path
        The file. It needs the month, the count, and one of the columns of labels.
    practice_code
        The practice; needed where the file does not say it, or holds several.

    Raises
    ------
    SourceError
        With everything that is wrong with the file.
    """
    texts = _texts(path)
    asked = practice_code.strip().upper()
    problems = Problems(SourceError, str(path))
    texts, code = _of_practice(texts, asked, path)
    reading, rows = _as_rows(texts, code, problems)
    problems.raise_if_any()
    labels = tuple(name for name in LABELS if COLUMNS[name] in texts)
    frame = _frame(reading, [rows], labels)
    months = tuple(sorted(frame["month"].unique()))
    return OwnData(path, code, labels, frame, _counts(reading, [rows], labels, months), months)


def compare(own: OwnData, parts: Sequence[Part]) -> OwnCheck:
    """Hold a practice's own appointments against the published ones, month by month and label by label.

    Parameters
    ----------
    own
        What `read_own` returned.
    parts
        Tables of the published crosstab.

    Raises
    ------
    SourceError
        When the published files do not hold the practice, or share no month with its own.
    """
    published = _published(parts, own.practice_code)
    theirs = sorted(published["month"].unique())
    both = tuple(month for month in own.months if month in theirs)
    where = listing(dict.fromkeys(part.member.label for part in parts), 3)
    if not theirs:
        raise SourceError(
            f"The published files hold no appointments of {own.practice_code}.",
            where,
            "Check the code; practices that have closed, or whose data were left out by NHS England, are not in it.",
        )
    if not both:
        raise SourceError(
            f"The practice's own file holds {listing(own.months, 6)} and the published files {listing(theirs, 6)}.",
            f"{own.path}; {where}",
            "Take both for the same months.",
        )
    mine = own.rows[own.rows["month"].isin(both)]
    official = published[published["month"].isin(both)]
    cells = _cells(mine, official, own.labels)
    return OwnCheck(
        practice_code=own.practice_code,
        cells=cells,
        figures=_figures(mine, official, own.labels),
        months=both,
        only_own=tuple(month for month in own.months if month not in theirs),
        only_published=tuple(month for month in theirs if month not in own.months),
        own_total=int(mine["count"].sum()),
        published_total=int(official["count"].sum()),
        same=int((cells["difference"] == 0).sum()),
    )


def mapping_what_if(source: SourceTable, practice_code: str, own: OwnData | None = None) -> pd.DataFrame:
    """Return the urgent same-day share of one practice if slots of other categories had been mapped as urgent.

    Parameters
    ----------
    source
        The published appointments.
    practice_code
        The practice.
    own
        Its own appointments, to be used for it in place of the published ones.

    Returns
    -------
    DataFrame
        One row per definition and way of adding: id, title, how (``"added"`` to those before it, or ``"alone"``),
        same_day, appointments, share, and of England middle (the median share) and practices (how many it is of).
        The share is missing where there is no such appointment.
    """
    official = source.counts
    mine = official if own is None else own.counts
    if practice_code not in set(mine["practice_code"]):
        raise SourceError(
            f"The appointments of {practice_code} are not in these files.",
            source.file,
            "Check the code of the practice.",
        )
    least = facts.middle_of_at_least()
    everyone = {part: _wide(official, part) for part in ("numerator", "denominator")}
    practice = {part: _wide(mine, part).loc[practice_code] for part in ("numerator", "denominator")}
    rows = []
    for how in ("added", "alone"):
        taken: list[str] = []
        for item in facts.what_if():
            taken = [*taken, f"what_if_{item.id}"] if how == "added" else [f"what_if_{item.id}"]
            top, base = (float(practice[part].reindex(taken).sum()) for part in ("numerator", "denominator"))
            tops, bases = (everyone[part][taken].sum(axis=1) for part in ("numerator", "denominator"))
            enough = bases >= least
            shares = tops[enough] / bases[enough]
            rows.append(
                {
                    "id": item.id,
                    "title": item.title if how == "added" else f"{listing(item.categories)} only",
                    "how": how,
                    "same_day": top,
                    "appointments": base,
                    "share": top / base if base else np.nan,
                    "middle": float(shares.median()) if len(shares) else np.nan,
                    "practices": int(enough.sum()),
                }
            )
    return pd.DataFrame(rows)


def _wide(counts: pd.DataFrame, part: str) -> pd.DataFrame:
    own = counts[(counts["part"] == part) & counts["metric"].str.startswith("what_if_")]
    return own.pivot(index="practice_code", columns="metric", values="value")


def _texts(path: Path) -> pd.DataFrame:
    """Return the known columns as text, named as published; other columns are left out."""
    layout = catalogue.layouts()["gpad_crosstab"]
    known = {plain_heading(name): name for name in layout.columns}
    known |= {plain_heading(old): name for name, others in layout.also.items() for old in others}
    header: dict[str, int] = {}
    cells: list[list[str]] = []
    numbers: list[int] = []
    for number, row in read_rows(path).numbered:
        if not header:
            found = {known[plain_heading(cell)]: at for at, cell in enumerate(row) if plain_heading(cell) in known}
            header = found if len(found) > 2 else {}
        elif any(cell.strip() for cell in row):
            cells.append([row[at] if at < len(row) else "" for at in header.values()])
            numbers.append(number)
    labels = [COLUMNS[name] for name in LABELS]
    missing = [name for name in (COLUMNS["month"], COUNT) if name not in header]
    if missing or not any(name in header for name in labels):
        what = listing(missing) if missing else "a column of labels"
        raise SourceError(
            f"This is not a practice's own appointments as published: {what} is missing.",
            str(path),
            f"It needs {COLUMNS['month']}, {COUNT} and at least one of {', '.join(labels)}.",
        )
    if not cells:
        raise SourceError("The table has headings and no rows.", str(path), "Download it again.")
    return pd.DataFrame(cells, columns=list(header), index=numbers)


def _of_practice(texts: pd.DataFrame, asked: str, path: Path) -> tuple[pd.DataFrame, str]:
    """Return the rows of one practice, and its code; a file that does not say is taken to be of the one asked for."""
    column = COLUMNS["practice_code"]
    codes = texts[column].str.strip().str.upper() if column in texts else pd.Series("", index=texts.index)
    held = [code for code in codes.unique() if code]
    if not held and not asked:
        raise SourceError(
            "The file does not say of which practice it is.",
            str(path),
            "Name the practice by its code, such as A81001.",
        )
    if not asked and len(held) > 1:
        raise SourceError(
            f"The file holds {len(held)} practices: {listing(held, 5)}.", str(path), "Name one of them by its code."
        )
    code = asked or held[0]
    if held and code not in held:
        raise SourceError(
            f"The file is of {listing(held, 5)} and not of {code}.", str(path), "Name its practice, or the right file."
        )
    if not looks_like_practice_code(code):
        raise SourceError(f"'{code}' is not a practice's code.", str(path), "Codes are such as A81001.")
    return (texts[codes == code] if held else texts), code


def _as_rows(texts: pd.DataFrame, code: str, problems: Problems) -> tuple[Reading, Rows]:
    reading = Reading(None)
    codes: dict[str, Array] = {}
    for name, heading in COLUMNS.items():
        words = reading.words[name]
        if name == "practice_code":
            codes[name] = np.full(len(texts), words.number(code), dtype=np.int32)
        elif name == "month":
            codes[name] = _months(texts[heading], words, problems)
        else:
            found = texts[heading] if heading in texts else pd.Series("", index=texts.index)
            known = canonical(heading) if name in LABELS else {}
            codes[name] = np.array(
                [words.number(known.get(facts.plain(text), " ".join(text.split()))) for text in found], dtype=np.int32
            )
    numbers = texts[COUNT].map(lambda text: whole(text.strip().removesuffix(".0")))
    for why in dict.fromkeys(item for item in numbers if isinstance(item, str)):
        _note(texts[COUNT], numbers == why, f"what stands there {why}", problems)
    values = np.array([item if isinstance(item, int) else 0 for item in numbers], dtype=np.int64)
    return reading, Rows(codes, values)


def _months(texts: pd.Series, words: Vocabulary, problems: Problems) -> Array:
    months = texts.map(parse_month)
    _note(texts, months.isna(), "what stands there is not a month", problems)
    return np.array([words.number(month if isinstance(month, str) else "") for month in months], dtype=np.int32)


def _note(texts: pd.Series, wrong: pd.Series, why: str, problems: Problems) -> None:
    if wrong.any():
        bad = texts[wrong.to_numpy(bool)]
        shown = ", ".join(f"row {row} ('{text}')" for row, text in bad.head(_SHOWN).items())
        more = f" and {len(bad) - _SHOWN:,} more" if len(bad) > _SHOWN else ""
        problems.add(f"{count(len(bad), 'cell')} of the column {texts.name}: {why}.", shown + more, _FIX)


def _frame(reading: Reading, runs: Iterable[Rows], labels: Sequence[str]) -> pd.DataFrame:
    """Return month, labels and count, rows that say the same added up."""
    frames = []
    for run in runs:
        columns = {
            name: np.array(reading.words[name].texts, dtype=object)[run.codes[name]] for name in ("month", *labels)
        }
        frames.append(pd.DataFrame(columns).assign(count=run.count))
    if not frames:
        return pd.DataFrame(columns=["month", *labels, "count"])
    return pd.concat(frames).groupby(["month", *labels], as_index=False)["count"].sum()


def _counts(reading: Reading, runs: Iterable[Rows], labels: Sequence[str], months: Sequence[str]) -> pd.DataFrame:
    """Return the counts of every metric that the columns allow, over all months."""
    held = {COLUMNS[name] for name in labels}
    tallied = count_rows(reading, runs)
    sums = sum(item.values.sum(axis=0)[: len(wanted())] for item in tallied.values())
    code = next(iter(tallied.values())).codes[0]
    rows = []
    for (name, chosen), value in zip(wanted().items(), np.asarray(sums), strict=True):
        metric, _, part = name.partition(".")
        if part and {item.column for item in chosen} <= held:
            rows.append((code, metric, part, float(value), float(value), float(value), False, len(months)))
    return pd.DataFrame(rows, columns=["practice_code", "metric", "part", "value", "low", "high", "hidden", "months"])


def _published(parts: Iterable[Part], code: str) -> pd.DataFrame:
    """Return the published rows of one practice, each month from the first table that holds it."""
    found: dict[str, pd.DataFrame] = {}
    for part in parts:
        if part.layout != "gpad_crosstab":
            continue
        frame = consume(part, lambda reading, rows: _frame(reading, _only(reading, rows, code), LABELS))
        for month, rows in frame.groupby("month"):
            found.setdefault(str(month), rows)
    return pd.concat(found.values()) if found else pd.DataFrame(columns=["month", *LABELS, "count"])


def _only(reading: Reading, rows: Iterable[Rows], code: str) -> Iterator[Rows]:
    """Yield the rows of one practice."""
    for run in rows:
        wanted_number = reading.words["practice_code"].number(code)
        here = run.codes["practice_code"] == wanted_number
        if here.any():
            yield Rows({name: values[here] for name, values in run.codes.items()}, run.count[here])


def _cells(mine: pd.DataFrame, official: pd.DataFrame, labels: Sequence[str]) -> pd.DataFrame:
    frames = []
    for name in ("", *labels):
        keys = ["month", name] if name else ["month"]
        pair = pd.concat(
            [frame.groupby(keys)["count"].sum().rename(side) for side, frame in _sides(mine, official).items()], axis=1
        )
        table = pair.fillna(0).astype(np.int64).sort_index().reset_index()
        table = table.rename(columns={name: "label"}) if name else table.assign(label="")
        frames.append(table.assign(column=COLUMNS[name] if name else ""))
    cells = pd.concat(frames, ignore_index=True)
    return cells.assign(difference=cells["own"] - cells["published"])[
        ["month", "column", "label", "own", "published", "difference"]
    ]


def _sides(mine: pd.DataFrame, official: pd.DataFrame) -> Mapping[str, pd.DataFrame]:
    return {"own": mine, "published": official}


def _figures(mine: pd.DataFrame, official: pd.DataFrame, labels: Sequence[str]) -> pd.DataFrame:
    """Return each metric by both files; only shares, as a rate needs a list that neither holds."""
    held = {COLUMNS[name] for name in labels}
    rows = []
    for card in catalogue.metrics().values():
        used = {item.column for rows_of in card.appointments.values() for item in rows_of}
        if card.kind != "proportion" or not card.appointments or not used <= held:
            continue
        row: dict[str, object] = {"metric": card.id}
        for side, frame in _sides(mine, official).items():
            top, base = (_taken(frame, card.appointments[part]) for part in ("numerator", "denominator"))
            row |= {f"{side}_numerator": top, f"{side}_denominator": base}
            row[f"{side}_value"] = top / base if base else np.nan
        rows.append(row)
    return pd.DataFrame(rows)


def _taken(frame: pd.DataFrame, chosen: Sequence[catalogue.Selection]) -> int:
    names = {heading: name for name, heading in COLUMNS.items()}
    here = np.full(len(frame), True)
    for item in chosen:
        here &= frame[names[item.column]].isin(item.labels).to_numpy() != item.but
    return int(frame.loc[here, "count"].sum())
