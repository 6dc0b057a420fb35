"""What a study needs of the publications, what of it is there, and what is missing, old or unreadable."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

from gpvar import catalogue
from gpvar.catalogue import Edition
from gpvar.problems import listing
from gpvar.sources import reference
from gpvar.sources._members import fingerprint
from gpvar.sources._needs import BOARD, MISSING, OLD, PARTLY, THERE, UNREADABLE, Need, State
from gpvar.sources._publications import distance, nearest
from gpvar.sources.looking import Found, is_called_like, look
from gpvar.sources.recognise import recognise
from gpvar.study import Period, Study, months_of
from gpvar.study.columns import PUBLICATIONS, REFERENCE, covariate_of


def usual_folders(folder: Path) -> list[Path]:
    """Return where people keep what they download: beside a study, in its ``data/raw``, and in Downloads."""
    here = [folder / "data" / "raw", folder, Path.cwd() / "data" / "raw", Path.home() / "Downloads"]
    return list(dict.fromkeys(here))


def states(study: Study, folders: Iterable[Path]) -> tuple[State, ...]:
    """Return each publication that a study needs, and what is there of it.

    Parameters
    ----------
    study
        What was declared; it need not name any file yet.
    folders
        Where to look beside the files that the study names.
    """
    named = {file.resolve() for spec in study.sources if spec.is_publication for file in spec.files if file.exists()}
    found = _once(look(folders, also=named))
    return tuple(_state(need, found, named, study) for need in needed(study))


def _once(found: Iterable[Found]) -> tuple[Found, ...]:
    """Return each file once, the copy in the folder that comes first."""
    kept: dict[object, Found] = {}
    for item in found:
        kept.setdefault(fingerprint(item.path), item)
    return tuple(kept.values())


def taken_for(path: Path) -> str:
    """Return in words what a file was taken for.

    Raises
    ------
    SourceError
        When it is none of the official files, or cannot be read.
    """
    titles = dict.fromkeys(catalogue.layouts()[part.layout].title for part in recognise(path))
    return listing(titles)


def needed(study: Study) -> tuple[Need, ...]:
    """Return the publications that a study needs, beside tables of its own and the England reference file."""
    held = _in_reference(study)
    return tuple(need for need in _needed(study) if need.source not in held)


def _in_reference(study: Study) -> set[str]:
    """Return the publications that the study's England reference file holds."""
    files = [spec.file for spec in study.sources if spec.id == REFERENCE]
    return {source for file in files for source in reference.describe(file).editions}


def _needed(study: Study) -> tuple[Need, ...]:
    own = {key for spec in study.sources for key in spec.columns}
    given = {key.partition(".")[0] for key in own}
    metrics = [metric for metric in study.metrics if metric not in given]
    wanted = [c for c in _declared(study) if c not in {covariate_of(key) for key in own}]
    needs = _of_metrics(metrics)
    rates = [metric for metric in study.metrics if catalogue.metric(metric).kind == "rate"]
    lists = "list_size" not in own
    if "age_sex" in wanted or (lists and (metrics or rates)):
        shares = tuple(c for c in wanted if c == "age_sex")
        which = ("registered_quinary",) if shares else ("registered_quinary", "registered_all")
        needs.append(Need("registered_patients", which[0], which, characteristics=shares, lists=lists))
    if lists and metrics:
        # The lists of every month: rates are then of the patients of each month, and a merger shows as a jump.
        each = ("registered_all", "registered_quinary")
        needs.append(Need("registered_patients", each[0], each, lists=True, monthly=True, optional=True))
    if "icb_code" not in own:
        needs.append(Need("registered_patients", "registered_map", ("registered_map",), places=True))
    return (*needs, *_of_characteristics([c for c in wanted if c != "age_sex"]))


def _declared(study: Study) -> list[str]:
    rungs = [study.adjust or {}, *(catalogue.metric(metric).adjust for metric in study.metrics)]
    own = study.adjust is not None and {"M1", "M2"} <= set(study.adjust)
    return list(dict.fromkeys(c for rung in (rungs[:1] if own else rungs) for ids in rung.values() for c in ids))


def _of_metrics(metrics: Sequence[str]) -> list[Need]:
    by_source: dict[str, list[str]] = {}
    for metric in metrics:
        by_source.setdefault(catalogue.metric(metric).source, []).append(metric)
    needs = []
    for source, ids in by_source.items():
        if source in PUBLICATIONS:
            needs.append(Need(source, source, (f"{source}_crosstab",), metrics=tuple(ids), monthly=True))
        else:
            needs.append(Need(source, "", (), metrics=tuple(ids)))
    return needs


def _of_characteristics(wanted: Iterable[str]) -> list[Need]:
    by_publication: dict[str, list[str]] = {}
    for covariate in wanted:
        by_publication.setdefault(_publication(covariate), []).append(covariate)
    return [_need_of(publication, tuple(ids)) for publication, ids in by_publication.items()]


def _need_of(publication: str, characteristics: tuple[str, ...]) -> Need:
    card = catalogue.publications().get(publication)
    if card is None:
        return Need(catalogue.covariate(characteristics[0]).source, "", (), characteristics=characteristics)
    holds = characteristics if card.source == "imd" else card.layouts
    return Need(card.source, publication, holds, characteristics=characteristics)


def _publication(covariate: str) -> str:
    """Return the publication from which a characteristic is got; ``""`` where gpvar reads none that holds it."""
    source = catalogue.covariate(covariate).source
    by_name = f"fingertips_{covariate}"
    if by_name in catalogue.publications():
        return by_name
    return source if source in catalogue.publications() else ""


def _state(need: Need, found: Sequence[Found], named: set[Path], study: Study) -> State:
    if not need.publication:
        return State(need, BOARD if need.source == "ag_extract" else MISSING)
    serving = tuple(item for item in found if set(item.holds) & set(need.holds))
    broken = tuple(item for item in found if item.error is not None and _meant(item, need))
    if not serving:
        get = _editions(need, study.period, months_of(study.period) if need.monthly else ())
        return State(need, UNREADABLE if broken else MISSING, broken, get=get)
    if need.monthly:
        return _by_months(need, serving, named, study)
    months = [_edition(item, need) for item in serving]
    best = nearest(months, study.period)
    chosen = tuple(item for item, month in zip(serving, months, strict=True) if month == best)[:1]
    apart = distance(best, study.period) if best else 0
    limit = catalogue.gates()["covariate_old"].thresholds["months_above"]
    state = OLD if apart > limit else THERE
    get = _editions(need, study.period, ()) if state == OLD else ()
    return State(need, state, chosen, apart=apart, get=get, named=_all_named(chosen, named))


def _by_months(need: Need, serving: tuple[Found, ...], named: set[Path], study: Study) -> State:
    held = {
        month for item in serving for month, what in zip(item.editions, item.holds, strict=True) if what in need.holds
    }
    wanted = months_of(study.period)
    missing = tuple(month for month in wanted if month not in held)
    used = tuple(sorted((item for item in serving if set(item.editions) & set(wanted)), key=lambda item: item.editions))
    get = _editions(need, study.period, missing) if missing else ()
    state = THERE if not missing else PARTLY if used else MISSING
    return State(need, state, used, months_missing=missing, get=get, named=bool(used) and _all_named(used, named))


def _all_named(files: Iterable[Found], named: set[Path]) -> bool:
    return all(item.path in named for item in files)


def _edition(item: Found, need: Need) -> str:
    return next(month for month, what in zip(item.editions, item.holds, strict=True) if what in need.holds)


def _meant(item: Found, need: Need) -> bool:
    """Return whether a file that cannot be read has the name of one that serves a need."""
    return is_called_like(item.path, catalogue.publications()[need.publication].file_like)


def _editions(need: Need, period: Period, months: Sequence[str]) -> tuple[Edition, ...]:
    if not months:
        limit = catalogue.gates()["covariate_old"].thresholds["months_above"]
        had = [item for item in catalogue.editions() if item.publication == need.publication and item.address]
        near = [item for item in had if item.last_month and distance(item.last_month, period) <= limit]
        if near:
            return (min(near, key=lambda item: (distance(item.last_month, period), -int(item.last_month[:4]))),)
    return catalogue.editions_covering(need.publication, months or [period.end])
