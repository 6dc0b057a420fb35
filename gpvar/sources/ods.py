"""Organisation Data Service: the register of practices (epraccur), when each opened and closed, where it belongs."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

from gpvar import catalogue
from gpvar.errors import SourceError
from gpvar.organisations import looks_like
from gpvar.problems import Problems, count
from gpvar.sources._parts import Part, SourceTable, no_counts
from gpvar.sources._publications import (
    area_codes,
    distinct,
    month_in_name,
    names_of,
    once,
    one_edition,
    reasons,
)
from gpvar.sources._tabular import note_cells, practice_codes, provenance_of, text_frame
from gpvar.study import Period

__all__ = ["is_open_in", "read", "tidy"]

_NAMES = {
    "organisation_code": "practice_code",
    "name": "practice_name",
    "national_grouping": "region_code",
    "high_level_health_geography": "icb_code",
    "postcode": "postcode",
    "open_date": "open_date",
    "close_date": "close_date",
    "status": "status",
    "commissioner": "sub_icb_code",
    "join_provider_date": "join_date",
    "left_provider_date": "left_date",
    "prescribing_setting": "prescribing_setting",
}
_DAYS = ("open_date", "close_date", "join_provider_date", "left_provider_date")
_AREAS = ("national_grouping", "high_level_health_geography", "commissioner")


def tidy(part: Part) -> pd.DataFrame:
    """Return the register, row by row, with plain names and types.

    Parameters
    ----------
    part
        A table epraccur.

    Returns
    -------
    DataFrame
        practice_code, practice_name, region_code (``W00``: Wales), icb_code, postcode, open_date, close_date
        (``"2017-10-31"``, ``""`` while open), status (A active, C closed, D dormant, P proposed), sub_icb_code,
        join_date and left_date (of the sub-ICB location), prescribing_setting (``"4"``: GP practice), and is_practice:
        whether the row is an active practice of prescribing setting 4. Other organisations that prescribe are in it.

    Raises
    ------
    SourceError
        With everything that is wrong with the file.
    """
    return _rows(part)[0]


def is_open_in(frame: pd.DataFrame, period: Period) -> pd.Series:
    """Return which rows of `tidy` are of practices that were open on some day of a period, by their own dates."""
    first, last = period.first_day.isoformat(), period.last_day.isoformat()
    gp = frame["prescribing_setting"] == catalogue.readers()["ods"]["prescribing_setting_of_practices"]
    opened = (frame["open_date"] == "") | (frame["open_date"] <= last)
    still = frame["status"] == catalogue.readers()["ods"]["active"]
    was_open: pd.Series = gp & opened & ((still & (frame["close_date"] == "")) | (frame["close_date"] >= first))
    return was_open


def read(parts: Sequence[Part], period: Period) -> SourceTable:
    """Read the register nearest to the period.

    Parameters
    ----------
    parts
        Tables epraccur of one date or several.
    period
        The study's period.

    Returns
    -------
    SourceTable
        Names, and where practices belong on the file's date: those of England with prescribing setting 4 that were
        open on some day of the period.

    Raises
    ------
    SourceError
        With everything that is wrong with the file, or when it is the register of something else.
    """
    single, remarks = distinct(parts)
    frames = [_rows(part) for part in single]
    editions = [month_in_name(part) or _edition(frame) for part, (frame, *_) in zip(single, frames, strict=True)]
    part, edition, unused = one_edition(single, editions, period)
    frame, rows, reason = frames[single.index(part)]
    wales = frame["region_code"] == catalogue.readers()["ods"]["wales"]
    was_open = is_open_in(frame, period)
    kept = frame[was_open & ~wales].sort_values("practice_code")
    more = reasons(
        (int((was_open & wales).sum()), "of practices in Wales"),
        (int((~was_open).sum()), "of practices closed before the period, or of other organisations that prescribe"),
    )
    active = frame["is_practice"]
    remarks += [
        *unused,
        f"{count(int(active.sum()), 'active practice')} of prescribing setting 4, {(active & wales).sum():,} of them "
        f"in Wales; the last change in the file is of {_latest(frame)}.",
        f"{count(len(kept), 'practice')} of England open in the period.",
    ]
    places = kept[["practice_code", "practice_name", "sub_icb_code", "icb_code", "region_code"]]
    return SourceTable(
        id="ods",
        file=names_of([part]),
        counts=no_counts(),
        facts=kept.set_index("practice_code")[["practice_name"]],
        provenance=(
            provenance_of(
                part,
                rows_read=rows,
                rows_kept=len(kept),
                reason="; ".join(filter(None, [reason, more])),
                edition=edition,
            ),
        ),
        places=places.assign(date=f"{edition}-01").reset_index(drop=True),
        remarks=tuple(remarks),
    )


def _rows(part: Part) -> tuple[pd.DataFrame, int, str]:
    problems = Problems(SourceError, part.member.place)
    text = text_frame(part, list(_NAMES))
    codes, good = practice_codes(text, "organisation_code", part, problems)
    setting = text["prescribing_setting"].str.strip()
    practice = setting == catalogue.readers()["ods"]["prescribing_setting_of_practices"]
    if not (good & practice).any() or good.mean() < 0.5:
        raise SourceError(
            "This has the form of the register of practices (epraccur), and does not hold practices.",
            part.member.place,
            looks_like(codes) or "Use the file epraccur; those of GPs and of branches have the same number of fields.",
        )
    frame = text.rename(columns=_NAMES).assign(practice_code=codes, prescribing_setting=setting)
    for name in _DAYS:
        frame[_NAMES[name]] = _days(text, name, part, problems)
    for name in _AREAS:
        frame[_NAMES[name]] = area_codes(text, name, part, problems)
    frame["status"] = text["status"].str.strip().str.upper()
    frame["is_practice"] = practice & (frame["status"] == catalogue.readers()["ods"]["active"])
    problems.raise_if_any()
    own, doubled = once(frame[good], ["practice_code"], part, "practice")
    reason = reasons((doubled, "standing twice"), (int((~good).sum()), "with codes of another form than practices'"))
    return own, len(text), reason


def _days(text: pd.DataFrame, column: str, part: Part, problems: Problems) -> pd.Series:
    """Return days written 19740401 as 1974-04-01."""
    cells = text[column].str.strip()
    found = pd.to_datetime(cells.where(cells != ""), format="%Y%m%d", errors="coerce")
    note_cells(text, column, cells.index[found.isna() & (cells != "")], "is not a day", part, problems)
    return found.dt.strftime("%Y-%m-%d").fillna("").astype(str)


def _edition(frame: pd.DataFrame) -> str:
    """Return the month of the last opening, for a name that says none: closures and proposed practices lie ahead."""
    opened = frame.loc[frame["status"] != catalogue.readers()["ods"]["proposed"], "open_date"].max()
    return (opened or _latest(frame))[:7]


def _latest(frame: pd.DataFrame) -> str:
    """Return the last day on which anything in the file opened, closed, joined or left."""
    return str(max(frame[name].max() for name in ("open_date", "close_date", "join_date", "left_date")))
