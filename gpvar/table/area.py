"""The study's area: which practices of the data are in it, and what to call it."""

from __future__ import annotations

import pandas as pd

from gpvar import catalogue, organisations
from gpvar.catalogue import Icb
from gpvar.dates import day_in_words
from gpvar.errors import StudyError
from gpvar.problems import closest, listing
from gpvar.study import Study
from gpvar.table.own import OwnLists

_KIND_COLUMN = {"icb": "icb_code", "sub_icb": "sub_icb_code", "pcn": "pcn_code"}
_KIND_NAME = {"icb": "integrated care board", "sub_icb": "sub-ICB location", "pcn": "primary care network"}


def area_codes(study: Study, hierarchy: pd.DataFrame, practices: pd.DataFrame, own: OwnLists) -> tuple[str, ...]:
    """Return the practices of the study's area that are in the data.

    Raises
    ------
    StudyError
        When the area, or a practice asked for, is not there; what could be meant is said.
    """
    area = study.area
    listed = own.codes(area.list, area.group) if area.list else own.listed
    if area.list and not listed:
        groups = own.groups.loc[own.groups["list"] == area.list, "group"].unique()
        near = closest(area.group, groups)
        fix = f"Did you mean {' or '.join(near)}?" if near else f"The list has {listing(groups, 12)}."
        where = f"{study.path or 'the study'}, [area]"
        raise StudyError(f"The list '{area.list}' has no group called '{area.group}'.", where, fix)
    everyone = hierarchy["practice_code"]
    strangers = [code for code in area.practices if code not in set(everyone)]
    if strangers:
        raise _no_such_practice(strangers, practices, study, own)
    listed_here = everyone.isin({*listed, *area.practices})
    members = listed_here if area.kind == "list" else _members(study, hierarchy)
    if not members.any():
        raise StudyError(
            "None of the practices of the list is in the data.",
            str(area.file or study.path or "the study"),
            f"The list starts {listing(listed, 3)}; the data hold {listing(everyone.head(3))} and so on. Check both.",
        )
    return tuple(everyone[members])


def _members(study: Study, hierarchy: pd.DataFrame) -> pd.Series:
    kind, code = study.area.kind, study.area.code
    column = _KIND_COLUMN[kind]
    used = sorted(set(hierarchy[column]) - {""})
    where = f"{study.path or 'the study'}, [area]"
    if not used:
        raise StudyError(
            f"The area is one {_KIND_NAME[kind]}, and no column says to which each practice belongs.",
            where,
            f'Add {column} = "heading" under [source.columns], or use kind = "list" with a file of codes.',
        )
    if kind == "icb":
        codes = organisations.codes_of_board(code, used)
        if not codes:
            raise _no_such_board(code, hierarchy, where)
        return hierarchy[column].isin(codes)
    members = (hierarchy[column] == code) | ((hierarchy["pcn_key"] == code) if kind == "pcn" else False)
    if not members.any():
        near = closest(code, used)
        fix = f"Did you mean {' or '.join(near)}?" if near else f"The table holds {listing(used, 6)}."
        raise StudyError(f"No practice of the table is in the {_KIND_NAME[kind]} '{code}'.", where, fix)
    return members


def _no_such_board(code: str, hierarchy: pd.DataFrame, where: str) -> StudyError:
    board = catalogue.icbs().get(code)
    if board is not None and (hierarchy["map_date"] != "").any():
        return _of_another_day(board, hierarchy, where)
    try:
        found = organisations.find_icb(hierarchy, code)
    except StudyError as error:
        return StudyError(error.problem, f"{where} code", error.fix)
    boards = organisations.describe_boards(found, hierarchy)
    return StudyError(
        f"'{code}' is a board's name, or part of one, and not its code.", where, f"Write the code: {boards}."
    )


def _of_another_day(board: Icb, hierarchy: pd.DataFrame, where: str) -> StudyError:
    """Return the error for a board of which published maps, on the study's day, name no practice."""
    ended = board.valid_to is not None
    day = board.valid_to or board.valid_from
    then = f"{'ended' if ended else 'began'} on {day_in_words(day)}"
    here = organisations.describe_boards(sorted(set(hierarchy["icb_code"]) - {""}), hierarchy)
    return StudyError(
        f"{board.name} ({board.code}), which {then}, has no practice on the day for which the study places them.",
        f"{where} code",
        f"Write hierarchy_date = {day} under [reference], to have practices where they were on that day; or write the "
        f"code of one of these boards: {here}.",
    )


def _no_such_practice(strangers: list[str], practices: pd.DataFrame, study: Study, own: OwnLists) -> StudyError:
    where = f"{study.path or 'the study'}, [area] practices"
    gone = organisations.successors_on(own.events, study.period.last_day)
    merged = [code for code in strangers if code in gone]
    if merged:
        return StudyError(
            f"Practices asked for have changed their code: {listing(f'{c} is now {gone[c]}' for c in merged)}.",
            where,
            "Write the code that the practice has now; its earlier figures are counted in.",
        )
    if len(strangers) > 1:
        return StudyError(
            f"{len(strangers)} practices asked for are not in the data: {listing(strangers)}.",
            where,
            "Correct their codes, or take them out; a practice that has closed or merged may be missing.",
        )
    try:
        code = organisations.find_practice(practices, strangers[0])
        fix = f"Write its code, {code}."
    except StudyError as error:
        fix = error.fix
    return StudyError(f"The practice '{strangers[0]}' is not in the data.", where, fix)


def area_name(study: Study, hierarchy: pd.DataFrame, facts: pd.DataFrame, codes: tuple[str, ...]) -> str:
    """Return what to call the study's area."""
    area = study.area
    if area.name:
        return area.name
    if area.kind == "icb":
        names = hierarchy.loc[hierarchy["icb_code"] == area.code, "icb_name"]
        return str(names.iloc[0]) if len(names) else organisations.name_of_board(area.code)
    if area.kind == "pcn" and "pcn_name" in facts:
        return str(facts["pcn_name"].reindex(list(codes)).iloc[0] or area.code)
    if area.kind == "list" and area.file is not None:
        stem = area.file.name.split(".")[0]
        return " ".join(stem.replace("-", " ").replace("_", " ").split())
    return area.code or "the practices listed"
