"""The publications of the simulated England, in the exact layouts of the real ones.

Every reader, the way from downloaded files to a study, and the England reference file can so be tried where no real
file is at hand. What a file says is what the simulated world is: its lists, shares, registers and scores come back from
the files, and `Publications.truth` says what a reader must find.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from gpvar.errors import StudyError
from gpvar.simulate import DEMO_SEED, SimulatedEngland
from gpvar.simulate import _publications_areas as _areas
from gpvar.simulate import _publications_health as _health
from gpvar.simulate import _publications_registered as _registered
from gpvar.simulate import _publications_registers as _registers
from gpvar.simulate import _publications_staff as _staff
from gpvar.simulate import england as draw
from gpvar.simulate._publications_people import People, people
from gpvar.simulate._publications_places import Editions, Places, places
from gpvar.simulate.appointments import write_crosstab
from gpvar.study import parse_period

__all__ = ["ALL", "OTHERS", "WITHOUT_APPOINTMENTS", "Publications", "write_publications"]

_APPOINTMENTS = ("gpad_crosstab", "gpad_mapping")
#: The layouts that take a moment to write, by their ids in the catalogue: all but the appointments.
WITHOUT_APPOINTMENTS = (
    "registered_quinary",
    "registered_map",
    "registered_all",
    "registered_lsoa",
    "iod2025_scores",
    "fingertips_api",
    "fingertips_extract",
    "qof_prevalence",
    "nhs_payments",
    "workforce_high_level",
    "workforce_detailed",
    "ods_epraccur",
)
#: The layouts that can be written.
ALL = (*WITHOUT_APPOINTMENTS, *_APPOINTMENTS)
#: The folder, beside the files of a study, for other editions and other forms of the same figures.
OTHERS = "others"


@dataclass(frozen=True, slots=True)
class Publications:
    """What was written.

    Attributes
    ----------
    folder
        Where.
    files
        Layout id of the catalogue → its files: those that a study of the period takes first, then those under
        `OTHERS`.
    truth
        Layout id → what a reader must find, see `write_publications`.
    editions
        Which edition of each publication was written.
    """

    folder: Path
    files: dict[str, tuple[Path, ...]]
    truth: dict[str, pd.DataFrame]
    editions: Editions

    @property
    def main(self) -> tuple[Path, ...]:
        """The files that a study of the period takes, each once, without those under `OTHERS`."""
        every = {path for paths in self.files.values() for path in paths if path.parent == self.folder}
        return tuple(sorted(every))


def write_publications(
    folder: Path,
    england: SimulatedEngland | None = None,
    *,
    period: str = "2025-04..2026-03",
    seed: int = DEMO_SEED,
    which: Iterable[str] = ALL,
    rows_per_month: int | None = None,
) -> Publications:
    """Write the publications of a simulated England.

    Parameters
    ----------
    folder
        Where to write them; made when it is not there.
    england
        The world; by default the one of the demonstration.
    period
        The months of the study, ``"2025-04..2026-03"``. Lists by month are of these; the other editions are those that
        are usual for such a study.
    seed
        For all that the world itself does not say, such as addresses and staff.
    which
        Layout ids; each file comes out the same whatever else is written.
    rows_per_month
        Rows of a month of appointments; those of the real file, 160 a practice, when not given.

    Returns
    -------
    Publications
        Files and truth. The frames of `truth`:

        ``registered_quinary``
            by practice: patients, and the shares of the world.
        ``registered_map``
            by practice: names and codes of practice, network, sub-board area, board, region; supplier; date.
        ``registered_all``
            practice_code, month, patients; the months of the period and January 2021.
        ``registered_lsoa``
            by practice: patients, those in English small areas (scored), and their mean score, imd2025.
        ``iod2025_scores``
            by small area: score.
        ``fingertips_api``, ``fingertips_extract``
            by practice: imd2025_score (and imd2019_score).
        ``qof_prevalence``
            practice_code, group_code, register, list_type, list_size.
        ``nhs_payments``
            by practice: rurality, contract, dispensing, registered, weighted, closed, practice_type.
        ``workforce_high_level``, ``workforce_detailed``
            by practice: full-time equivalents by group, and of GPs without trainees, and without trainees and locums.
        ``ods_epraccur``
            by organisation: practice_name, region_code, icb_code, sub_icb_code, opened, closed, status, setting.
        ``gpad_crosstab``
            by practice and month: counts, as `gpvar.simulate.appointments.Crosstab.practices`.
        ``gpad_mapping``
            as ``registered_map``.
    """
    wanted = tuple(which)
    strangers = sorted(set(wanted) - set(ALL))
    if strangers:
        raise StudyError(
            "There is no publication of that name to write.", f"which={strangers}", f"Choose from {', '.join(ALL)}."
        )
    world = draw() if england is None else england
    editions = Editions.of(parse_period(period))
    where = places(world, editions, seed)
    who = people(world, where, editions, seed)
    job = _Job(Path(folder), world, editions, where, who, seed, rows_per_month)
    files: dict[str, tuple[Path, ...]] = {}
    truth: dict[str, pd.DataFrame] = {}
    for write, ids in _WRITERS:
        if set(ids) & set(wanted):
            for name, (paths, found) in write(job).items():
                if name in wanted:
                    files[name], truth[name] = paths, found
    return Publications(Path(folder), files, truth, editions)


@dataclass(frozen=True, slots=True)
class _Job:
    folder: Path
    world: SimulatedEngland
    editions: Editions
    where: Places
    who: People
    seed: int
    rows_per_month: int | None

    @property
    def others(self) -> Path:
        return self.folder / OTHERS


_Written = dict[str, tuple[tuple[Path, ...], pd.DataFrame]]


def _quinary(job: _Job) -> _Written:
    path, truth = _registered.quinary(job.folder, job.where, job.who, job.editions)
    return {"registered_quinary": ((path,), truth)}


def _mapping(job: _Job) -> _Written:
    path, truth = _registered.mapping(job.folder, job.where, job.editions.registered)
    older, _ = _registered.mapping(job.others, job.where, job.editions.months[0])
    return {"registered_map": ((path, older), truth)}


def _lists(job: _Job) -> _Written:
    paths, truth = _registered.lists(job.folder, job.where, job.who, job.editions)
    old, before = _registered.old_list(job.others, job.where, job.who)
    return {"registered_all": ((*paths, old), pd.concat([before, truth], ignore_index=True))}


def _small_areas(job: _Job) -> _Written:
    found = _areas.areas(job.world, job.where, job.who, job.seed)
    living, scores = _areas.registrations(job.others, job.where, found, job.editions)
    path, by_area = _areas.deprivation(job.others, found, job.seed)
    return {"registered_lsoa": ((living,), scores), "iod2025_scores": ((path,), by_area)}


def _deprivation(job: _Job) -> _Written:
    new, old = (_health.scores(job.world, job.where, job.seed, year) for year in (2025, 2019))
    sizes = job.world.practices.set_index("practice_code")["mean_monthly_list_size"]
    paths = (
        _health.fingertips(job.folder, job.where, new, sizes, 2025),
        _health.fingertips(job.others, job.where, old, sizes, 2019),
    )
    extract = _health.extract(job.others, job.where, new, 2025)
    truth = pd.concat([new, old], axis=1)
    return {"fingertips_api": (paths, truth), "fingertips_extract": ((extract,), new.to_frame())}


def _qof(job: _Job) -> _Written:
    found = _health.registers(job.world, job.where, job.who, job.seed)
    paths = (
        _health.qof_zip(job.folder, found, job.where, job.editions),
        _health.prevalence(job.others, found, job.editions),
    )
    return {"qof_prevalence": (paths, found)}


def _payments(job: _Job) -> _Written:
    found = _registers.paid(job.world, job.where, job.seed)
    path = _registers.payments(job.folder, found, job.seed, job.editions)
    kept = ["rurality", "contract", "dispensing", "registered", "weighted", "closed", "practice_type"]
    return {"nhs_payments": ((path,), found[kept])}


def _workforce(job: _Job) -> _Written:
    found = _staff.staff(job.where, job.who, job.seed)
    path = _staff.workforce(job.folder, found, job.where, job.who, job.editions)
    truth = _staff.workforce_truth(found, job.where)
    return {"workforce_high_level": ((path,), truth), "workforce_detailed": ((path,), truth)}


def _register(job: _Job) -> _Written:
    found = _registers.register(job.world, job.where, job.seed)
    kept = ["practice_name", "region_code", "icb_code", "sub_icb_code", "opened", "closed", "status", "setting"]
    return {"ods_epraccur": ((_registers.ods(job.folder, found),), found[kept])}


def _appointments(job: _Job) -> _Written:
    yearly = job.world.practices.set_index("practice_code")
    taken = ["annual_patient_month_exposure", *(name for name in yearly if name.startswith("gpad_annual_"))]
    size = yearly["mean_monthly_list_size"].rename("list_size")
    # Each zip has one mapping; the practice that closes within the period is in none.
    practices = _registered.listed(job.where, job.editions.registered).join([yearly[taken], size]).reset_index()
    written = write_crosstab(
        job.folder,
        practices=practices,
        months=job.editions.months,
        rows_per_month=job.rows_per_month,
        seed=job.seed,
    )
    truth = _registered.listed(job.where, job.editions.months[-1])[list(_registered.PLACES)]
    return {"gpad_crosstab": (written.files, written.practices), "gpad_mapping": (written.files, truth)}


_WRITERS = (
    (_quinary, ("registered_quinary",)),
    (_mapping, ("registered_map",)),
    (_lists, ("registered_all",)),
    (_small_areas, ("registered_lsoa", "iod2025_scores")),
    (_deprivation, ("fingertips_api", "fingertips_extract")),
    (_qof, ("qof_prevalence",)),
    (_payments, ("nhs_payments",)),
    (_workforce, ("workforce_high_level", "workforce_detailed")),
    (_register, ("ods_epraccur",)),
    (_appointments, _APPOINTMENTS),
)
