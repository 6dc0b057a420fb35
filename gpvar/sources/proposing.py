"""What may have happened to practices, from a study's own files: proposed, for a person to confirm."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from gpvar import organisations
from gpvar.errors import StudyError
from gpvar.sources import named
from gpvar.study import Study

EVENTS = "practice_events.csv"
_PROPOSED = "practice_events-proposed.csv"


def propose(study: Study) -> pd.DataFrame:
    """Return the mergers and closures that a study's monthly lists and maps suggest.

    Parameters
    ----------
    study
        A study that names Patients Registered at a GP Practice, or an England reference file.

    Returns
    -------
    DataFrame
        What `gpvar.organisations.propose_events` returns.

    Raises
    ------
    StudyError
        When the study has no lists of several months, or no map.
    """
    tables = [table for spec in study.sources if spec.is_publication for table in named.read_all(spec, study.period)]
    monthly = [table.monthly for table in tables if table.monthly is not None]
    lists = pd.concat(monthly, ignore_index=True) if monthly else pd.DataFrame(columns=["month", "name"], dtype=str)
    lists = lists[lists["name"] == "list_size"]
    maps = [table.places for table in tables if table.places is not None and "pcn_code" in table.places]
    if lists["month"].nunique() < 2 or not maps:
        raise StudyError(
            "What happened to practices cannot be told: that needs their lists of several months, and a map.",
            str(study.path or "the study"),
            "Take the totals of Patients Registered at a GP Practice for each month, and its mapping, into the study: "
            "python run.py sources STUDY says where they are.",
        )
    places = pd.concat(maps, ignore_index=True)
    first, last = places["date"].min(), places["date"].max()
    return organisations.propose_events(places[places["date"] == first], places[places["date"] == last], lists)


def write_proposals(study: Study, proposals: pd.DataFrame) -> Path:
    """Write proposals beside a study, for a person to confirm; a file that is there is never written over.

    Returns
    -------
    Path
        ``practice_events.csv``; where there is one already, a file of proposals beside it.

    Raises
    ------
    StudyError
        When the file cannot be written.
    """
    target = study.folder / EVENTS
    target = study.folder / _PROPOSED if target.exists() else target
    try:
        with target.open("w", encoding="utf-8-sig", newline="") as file:
            file.write(organisations.events_template(proposals))
    except OSError as error:
        raise StudyError(
            f"The proposals could not be written ({error.strerror or error}).",
            str(target),
            "Close the file in Excel, and run the same command again.",
        ) from error
    return target
