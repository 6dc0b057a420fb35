"""What a reference file is made of: the published files of a study, of some folders, or named one by one."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from gpvar.errors import SourceError
from gpvar.problems import nearest
from gpvar.sources.looking import Found, look
from gpvar.sources.recognise import recognise
from gpvar.study import Period, Study, find_study, load_study, months_of

_APPOINTMENTS, _CROSSTAB = "gpad", "gpad_crosstab"


def gather(places: Sequence[Path], period: Period | None) -> tuple[tuple[Path, ...], Period, tuple[Path, ...]]:
    """Return the published files to be put together, their months, and the files that were left out.

    Parameters
    ----------
    places
        Studies, folders, or files.
    period
        The months; those of the study, else those of the appointments found, where it is None.

    Returns
    -------
    tuple
        Files, period, and the files of a folder or study that are no publications: they are never passed on.

    Raises
    ------
    SourceError
        When there is no published file, or its months have a gap.
    """
    files: dict[Path, None] = {}
    left_out: dict[Path, None] = {}
    for place in places:
        study = _study(place)
        if study is not None:
            period = period or study.period
            own = [file for spec in study.sources if not spec.is_publication for file in spec.files]
            left_out |= dict.fromkeys(own)
            files |= {file: None for spec in study.sources if spec.is_publication for file in spec.files}
        elif place.is_dir():
            found = look([place])
            good = [item.path for item in found if item.error is None]
            _refuse_broken(found)
            files |= dict.fromkeys(good)
            tables = [item for item in sorted(place.iterdir()) if _is_table(item)]
            left_out |= {item: None for item in tables if item.resolve() not in good}
        else:
            files[place] = None
    if not files:
        raise SourceError(
            "There is no published file to make a reference file of.",
            ", ".join(str(place) for place in places),
            "python run.py sources STUDY says which files are needed and where to get them.",
        )
    return tuple(files), period or _months_held(list(files)), tuple(left_out)


def edition_of(places: Sequence[Path]) -> str:
    """Return which publication of the appointments the studies among some places say that they use; ``""`` if none.

    Parameters
    ----------
    places
        Studies, folders, or files.

    Raises
    ------
    SourceError
        When two studies use different ones.
    """
    said: dict[str, Path] = {}
    for place in places:
        study = _study(place)
        for spec in study.sources if study is not None else ():
            if spec.id == _APPOINTMENTS and spec.edition:
                said.setdefault(spec.edition, place)
    if len(said) > 1:
        raise SourceError(
            "The studies use different publications of the appointments: "
            + " and ".join(f'edition = "{edition}"' for edition in said)
            + ".",
            ", ".join(str(place) for place in said.values()),
            "Make a reference file of one of them, or write the same edition in both.",
        )
    return next(iter(said), "")


def _refuse_nothing_there(place: Path) -> None:
    if place.exists():
        return
    beside = [item.name for item in place.parent.iterdir()] if place.parent.is_dir() else []
    raise SourceError(
        f"There is no folder, study or file called '{place}'.{nearest(place.name, beside)}",
        f"the folder {place.parent.absolute()}",
        "Name the folder of the published files, a study that names them, or the files one by one.",
    )


def _study(place: Path) -> Study | None:
    _refuse_nothing_there(place)
    if place.is_dir() and not (place / "study.toml").is_file():
        return None
    if place.is_file() and place.suffix != ".toml":
        return None
    return load_study(find_study(place), complete=False)


def _is_table(path: Path) -> bool:
    return path.is_file() and path.suffix.lower() in (".csv", ".xlsx", ".xls", ".zip", ".gz")


def _refuse_broken(found: Sequence[Found]) -> None:
    for item in found:
        if item.error is not None:
            raise item.error


def _months_held(files: Sequence[Path]) -> Period:
    held = sorted(
        {
            month
            for item in look([], also=files)
            for month, what in zip(item.editions, item.holds, strict=True)
            if what == _CROSSTAB and month
        }
    )
    if not held:
        for file in files:
            # One that is no published file at all is named for what it is.
            recognise(file)
        raise SourceError(
            "The files do not say which months the reference file is to hold: there are no appointments among them.",
            "",
            "Add the files of Appointments in General Practice, or say --period 2025-04..2026-03.",
        )
    period = Period(held[0], held[-1])
    gaps = [month for month in months_of(period) if month not in held]
    if gaps:
        raise SourceError(
            f"Between the first and the last month of the appointments there is none for {', '.join(gaps)}.",
            f"{held[0]} to {held[-1]}",
            "Add the files of those months, or name the months that are to be held: --period 2025-04..2026-03.",
        )
    return period
