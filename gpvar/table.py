"""One row per practice: the files joined on codes, the area found, the gates asked, and what did not match listed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from gpvar import catalogue, gates, organisations, schema
from gpvar.errors import SourceError, StudyError
from gpvar.problems import Problems, closest, listing
from gpvar.sources import local
from gpvar.sources._parts import SourceTable
from gpvar.study import Study
from gpvar.study.columns import TEXTS

_PLACES = ("pcn_code", "sub_icb_code", "icb_code", "region_code")
_KIND_COLUMN = {"icb": "icb_code", "sub_icb": "sub_icb_code", "pcn": "pcn_code"}
_KIND_NAME = {"icb": "integrated care board", "sub_icb": "sub-ICB location", "pcn": "primary care network"}


@dataclass(frozen=True, slots=True)
class PracticeTable:
    """What was observed, before anything is fitted. Every frame has the columns of `gpvar.schema`.

    Attributes
    ----------
    study
        What was declared.
    outcomes
        One row per practice and metric, for the study's period.
    practices
        One row per practice: name, list, characteristics.
    hierarchy
        One row per practice: where it belongs.
    provenance
        One row per file read.
    unmatched
        Practices asked for or found in one place and not in another.
    gates
        What the data-quality gates found.
    area_codes
        The practices of the study's area that are in the table.
    area_name
        What to call the area.
    excluded
        Practices left out of the fit, and the gate for which they are.
    dropped
        Characteristics declared that no file holds, with the reason.
    """

    study: Study
    outcomes: pd.DataFrame
    practices: pd.DataFrame
    hierarchy: pd.DataFrame
    provenance: pd.DataFrame
    unmatched: pd.DataFrame
    gates: pd.DataFrame
    area_codes: tuple[str, ...]
    area_name: str
    excluded: pd.DataFrame
    dropped: dict[str, str] = field(default_factory=dict)


def build_table(study: Study, max_bytes: int = local.MAX_BYTES) -> PracticeTable:
    """Read the study's files, join them, and ask the gates; nothing is fitted.

    Parameters
    ----------
    study
        What `gpvar.load_study` returned.
    max_bytes
        The most that is read of a file.

    Returns
    -------
    PracticeTable

    Raises
    ------
    SourceError
        When a file cannot be read as what the study says it is.
    StudyError
        When the area or a practice asked for is not in the data.
    """
    tables = _read_all(study, max_bytes)
    listed, list_provenance = _listed(study, max_bytes)
    counts = pd.concat([table.counts for table in tables], ignore_index=True)
    measured = pd.Index(sorted(counts.loc[counts["metric"].isin(study.metrics), "practice_code"].unique()))
    facts = pd.concat([table.facts.reindex(measured) for table in tables], axis=1)
    monthly = any(table.has_months for table in tables)
    outcomes, months = _outcomes(study, _with_patient_months(study, counts, facts), measured, monthly)
    _refuse_wrong_columns(study, outcomes)
    hierarchy = _hierarchy(facts)
    practices = _practices(facts, counts, measured)
    area_codes = _area_codes(study, hierarchy, practices, listed)
    evidence = gates.Evidence(
        study=study,
        outcomes=outcomes,
        practices=practices,
        hierarchy=hierarchy,
        months=months,
        has_months=monthly,
        homes={f"{row.metric}.{row.part}": table.id for table in tables for row in _parts(table)},
        lost={table.id: float(1 - measured.isin(table.facts.index).mean()) for table in tables},
        impossible=tuple(item for table in tables for item in table.impossible),
    )
    found = gates.run(evidence)
    provenance = pd.DataFrame([*(row for table in tables for row in table.provenance), *list_provenance])
    return PracticeTable(
        study=study,
        outcomes=outcomes,
        practices=practices,
        hierarchy=hierarchy,
        provenance=provenance[schema.names("provenance")],
        unmatched=_unmatched(study, tables, measured, hierarchy, listed),
        gates=found,
        area_codes=area_codes,
        area_name=_area_name(study, hierarchy, facts, area_codes),
        excluded=gates.excluded(found, study.reference.exclude),
        dropped=gates.dropped(evidence),
    )


def _read_all(study: Study, max_bytes: int) -> list[SourceTable]:
    """Read every file; when several cannot be read, say so of all of them."""
    tables, errors = [], []
    for spec in study.sources:
        try:
            tables.append(local.read(spec, study.period, max_bytes))
        except SourceError as error:
            errors.append(error)
    if len(errors) == 1:
        raise errors[0]
    problems = Problems(SourceError, str(study.path or "the study's files"))
    for error in errors:
        problems.add(error.problem, error.where, error.fix)
    problems.raise_if_any()
    return tables


def _listed(study: Study, max_bytes: int) -> tuple[tuple[str, ...], list[dict[str, object]]]:
    if study.area.file is None:
        return (), []
    codes, provenance = local.read_codes(study.area.file, max_bytes)
    return codes, [provenance]


def _parts(table: SourceTable) -> Sequence:
    return list(table.counts[["metric", "part"]].drop_duplicates().itertuples(index=False))


def _with_patient_months(study: Study, counts: pd.DataFrame, facts: pd.DataFrame) -> pd.DataFrame:
    """Add the list size times the months as the denominator of a rate that has none of its own."""
    frames = [counts]
    for metric in study.metrics:
        own = counts[counts["metric"] == metric]
        if catalogue.metric(metric).kind == "rate" and not (own["part"] == "denominator").any():
            top = own[own["part"] == "numerator"]
            monthly = any("period" in spec.columns and f"{metric}.numerator" in spec.columns for spec in study.sources)
            months = top["months"].to_numpy() if monthly else study.period.months
            product = facts["list_size"].reindex(top["practice_code"]).to_numpy() * months
            frames.append(top.assign(part="denominator", value=product, low=product, high=product, hidden=False))
    return pd.concat(frames, ignore_index=True)


def _outcomes(
    study: Study, counts: pd.DataFrame, measured: pd.Index, monthly: bool
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return the outcomes, and the months that each figure rests on."""
    frames, months = [], []
    for metric in study.metrics:
        own = counts[counts["metric"] == metric]
        top = own[own["part"] == "numerator"].set_index("practice_code").reindex(measured)
        base = own[own["part"] == "denominator"].set_index("practice_code").reindex(measured)
        hidden = top["hidden"].eq(True).to_numpy() | base["hidden"].eq(True).to_numpy()
        missing = top["low"].isna().to_numpy() | base["low"].isna().to_numpy()
        # A partly hidden denominator moves a figure little: its middle is used, unless it could be below the numerator.
        middle = ((base["low"] + base["high"]) / 2).where(base["low"] >= top["high"].fillna(0))
        denominator = base["value"].where(~base["hidden"].eq(True), middle)
        used = np.nan_to_num(np.fmin(top["months"].to_numpy(float), base["months"].to_numpy(float)))
        frames.append(
            pd.DataFrame(
                {
                    "practice_code": measured,
                    "metric": metric,
                    "numerator": top["value"].to_numpy(float),
                    "denominator": denominator.to_numpy(float),
                    "numerator_low": top["low"].to_numpy(float),
                    "numerator_high": top["high"].to_numpy(float),
                    "denominator_low": base["low"].to_numpy(float),
                    "denominator_high": base["high"].to_numpy(float),
                    "months": used if monthly else float(study.period.months),
                    "state": np.select([missing, hidden], ["missing", "suppressed"], ""),
                }
            )
        )
        months.append(pd.DataFrame({"practice_code": measured, "metric": metric, "months": used}))
    return pd.concat(frames, ignore_index=True), pd.concat(months, ignore_index=True)


def _refuse_wrong_columns(study: Study, outcomes: pd.DataFrame) -> None:
    """Refuse a share whose numerator is often the larger: the columns are then the wrong ones."""
    limit = catalogue.gates()["numerator_over_denominator"].thresholds["wrong_columns_above"]
    problems = Problems(SourceError, listing((str(spec.file) for spec in study.sources), 3))
    for metric in study.metrics:
        if catalogue.metric(metric).kind != "proportion":
            continue
        rows = outcomes[(outcomes["metric"] == metric) & outcomes["denominator"].notna()]
        over = rows["numerator_low"] > rows["denominator"]
        if len(rows) and over.mean() > limit:
            first = rows[over].iloc[0]
            problems.add(
                f"In {over.sum():,} of {len(rows):,} practices the numerator of '{metric}' is over its denominator.",
                f"for example {first['practice_code']}: {first['numerator_low']:,.0f} of {first['denominator']:,.0f}",
                "These are not the right columns, or they are the wrong way round: correct [source.columns].",
            )
    problems.raise_if_any()


def _hierarchy(facts: pd.DataFrame) -> pd.DataFrame:
    """Return where each practice belongs; codes tidy, networks keyed by board and network together."""
    frame = pd.DataFrame({"practice_code": facts.index})
    for name in _PLACES:
        given = facts[name] if name in facts else pd.Series("", index=facts.index)
        frame[name] = organisations.tidy(given).to_numpy()
    frame["pcn_code"], frame["pcn_key"] = organisations.network(frame["pcn_code"], frame["icb_code"])
    known = {code: organisations.name_of_board(code) for code in frame["icb_code"].unique() if code}
    names = frame["icb_code"].map(known).fillna("")
    if "icb_name" in facts:
        given = facts["icb_name"].fillna("").to_numpy()
        names = names.where(given == "", given)
    return frame.assign(icb_name=names)[schema.names("hierarchy")]


def _practices(facts: pd.DataFrame, counts: pd.DataFrame, measured: pd.Index) -> pd.DataFrame:
    kept = [name for name in facts.columns if name not in TEXTS and name not in ("list_size", "list_jump_pct")]
    blank = pd.Series(np.nan, index=measured)
    frame = pd.DataFrame(
        {
            "practice_code": measured,
            "practice_name": facts["practice_name"].fillna("") if "practice_name" in facts else "",
            "list_size": facts.get("list_size", blank),
            "list_jump_pct": facts.get("list_jump_pct", blank),
        },
        index=measured,
    )
    frame = pd.concat([frame, facts[kept]], axis=1)
    if "supplier" in facts:
        frame["supplier"] = facts["supplier"].fillna("")
    unmapped = counts[counts["metric"] == "unmapped"]
    for part in unmapped["part"].unique():
        own = unmapped[unmapped["part"] == part].set_index("practice_code")["value"]
        frame[f"unmapped.{part}"] = own.reindex(measured)
    return frame.reset_index(drop=True)


def _area_codes(
    study: Study, hierarchy: pd.DataFrame, practices: pd.DataFrame, listed: tuple[str, ...]
) -> tuple[str, ...]:
    area = study.area
    everyone = hierarchy["practice_code"]
    strangers = [code for code in area.practices if code not in set(everyone)]
    if strangers:
        raise _no_such_practice(strangers, practices, study)
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
    try:
        found = organisations.find_icb(hierarchy, code)
    except StudyError as error:
        return StudyError(error.problem, f"{where} code", error.fix)
    boards = organisations.describe_boards(found, hierarchy)
    return StudyError(
        f"'{code}' is a board's name, or part of one, and not its code.", where, f"Write the code: {boards}."
    )


def _no_such_practice(strangers: list[str], practices: pd.DataFrame, study: Study) -> StudyError:
    where = f"{study.path or 'the study'}, [area] practices"
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


def _area_name(study: Study, hierarchy: pd.DataFrame, facts: pd.DataFrame, area_codes: tuple[str, ...]) -> str:
    area = study.area
    if area.name:
        return area.name
    if area.kind == "icb":
        names = hierarchy.loc[hierarchy["icb_code"] == area.code, "icb_name"]
        return str(names.iloc[0]) if len(names) else organisations.name_of_board(area.code)
    if area.kind == "pcn" and "pcn_name" in facts:
        return str(facts["pcn_name"].reindex(list(area_codes)).iloc[0] or area.code)
    if area.kind == "list" and area.file is not None:
        stem = area.file.name.split(".")[0]
        return " ".join(stem.replace("-", " ").replace("_", " ").split())
    return area.code or "the practices listed"


def _unmatched(
    study: Study, tables: list[SourceTable], measured: pd.Index, hierarchy: pd.DataFrame, listed: tuple[str, ...]
) -> pd.DataFrame:
    """List, in both directions, every practice that was found in one place and not in another."""
    rows = [(code, "in the list, not in the table", study.area.file.name) for code in listed if code not in measured]
    for column, words in (("icb_code", "in the data, no ICB"), ("pcn_code", "in the data, no PCN")):
        if (hierarchy[column] != "").any():
            rows += [(code, words, "") for code in hierarchy.loc[hierarchy[column] == "", "practice_code"]]
    for table in tables:
        here = table.facts.index
        rows += [(code, "measured, not in this file", table.file) for code in measured[~measured.isin(here)]]
        rows += [(code, "in this file, not measured", table.file) for code in sorted(set(here) - set(measured))]
        rows += [
            (code, "in this file, not a practice code", f"{table.file}, row {row}") for code, row in table.not_practices
        ]
    return pd.DataFrame(rows, columns=schema.names("unmatched"), dtype=object)
