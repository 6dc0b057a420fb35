"""Taking files into a study: copied beside it, and written into the study file."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from gpvar.errors import StudyError
from gpvar.sources._needs import OLD, PARTLY, THERE, State
from gpvar.sources.files.members import fingerprint
from gpvar.sources.taking.study_file import StudyFile, read_study_file, write_own_lines
from gpvar.study import Study

#: What the lines of a publication hold beside its files, and keep when they are written anew.
_KEPT = ("edition",)


def take(study: Study, found: Sequence[State]) -> tuple[Path, ...]:
    """Copy the files that serve a study into its ``data/raw`` and name them in the study file.

    Parameters
    ----------
    study
        A study that was read from a file.
    found
        What `needs.states` returned.

    Returns
    -------
    tuple of Path
        The files as they are now named, in the study's own folder.

    Raises
    ------
    StudyError
        When a file cannot be copied, or the study file cannot be written or would no longer be read; the study file is
        then as it was.
    """
    before = {file.resolve() for file in taken_before(study)}
    files: dict[str, list[Path]] = {}
    latest = set()
    for state in found:
        if state.own:
            continue
        known = files.setdefault(state.need.source, [])
        usable = state.files if state.state in (THERE, PARTLY, OLD) else ()
        known += [kept for item in usable if (kept := kept_beside(item.path, study)) not in known]
        if state.state != THERE:
            # What cannot be read today stays named, so that the check speaks of it.
            known += [item.path for item in state.broken if item.path in before and item.path not in known]
        latest |= {state.need.source} if state.overlap else set()
    files = {source: several for source, several in files.items() if several}
    if files:
        write_sources(study, files, latest)
    return tuple(file for several in files.values() for file in several)


def taken_before(study: Study) -> set[Path]:
    """Return the files that gpvar itself has named in the study file."""
    if study.path is None:
        return set()
    named = [name for source in read_study_file(study.path).sources for name in _several(source.get("file", []))]
    return {Path(os.path.normpath(study.folder / name)) for name in named}


def _several(value: object) -> list[str]:
    return [value] if isinstance(value, str) else list(value)  # type: ignore[call-overload]


def kept_beside(path: Path, study: Study) -> Path:
    """Return the file inside the study's folder, copied there when it lies elsewhere."""
    if path.is_relative_to(study.folder.resolve()):
        return path
    folder = study.folder.resolve() / "data" / "raw"
    unfinished = folder / f"{path.name}.copying"
    try:
        target = _free_place(path, folder)
        if not target.exists():
            folder.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(path, unfinished)
            unfinished.replace(target)
    except OSError as error:
        with contextlib.suppress(OSError):
            unfinished.unlink()
        raise StudyError(
            f"A file could not be copied into the study ({error.strerror or error}).",
            f"{path} to {folder}",
            "Close it in any other program, see that there is room on the disk and that you may write into the "
            "study's folder, and run the same command again.",
        ) from error
    return target


def _free_place(path: Path, folder: Path) -> Path:
    """Return where a copy goes: where the same bytes lie already, else where nothing lies."""
    target, number = folder / path.name, 1
    while target.exists() and not (target.is_file() and fingerprint(target) == fingerprint(path)):
        number += 1
        target = folder / f"{path.stem}-{number}{path.suffix}"
    return target


def write_sources(study: Study, files: Mapping[str, Iterable[Path]], latest: Iterable[str] = ()) -> None:
    """Write the files of publications into a study file, in place of those written before.

    Parameters
    ----------
    study
        A study that was read from a file.
    files
        Publication → its files, inside the study's folder.
    latest
        Publications of which several files hold the same month: the latest is meant, unless the study says otherwise.

    Raises
    ------
    StudyError
        When the file cannot be written, or would no longer be read; it is then as it was.
    """
    assert study.path is not None
    file = read_study_file(study.path)
    write_own_lines(file, _blocks(study, files, _kept_lines(file, latest)), study.folder)


def _kept_lines(file: StudyFile, latest: Iterable[str]) -> dict[str, dict[str, str]]:
    """Return what each publication's lines hold beside its files: what was chosen there before, else the latest."""
    kept: dict[str, dict[str, str]] = {source: {"edition": "latest"} for source in latest}
    for source in file.sources:
        own = {word: str(source[word]) for word in _KEPT if word in source}
        kept.setdefault(str(source.get("id")), {}).update(own)
    return kept


def _blocks(study: Study, files: Mapping[str, Iterable[Path]], kept: Mapping[str, Mapping[str, str]]) -> str:
    said = []
    for source, several in files.items():
        names = [_relative(file, study.folder.resolve()) for file in several]
        # JSON's text is TOML's.
        quoted = [json.dumps(name, ensure_ascii=False) for name in names]
        value = quoted[0] if len(quoted) == 1 else "[\n" + "".join(f"    {name},\n" for name in quoted) + "]"
        lines = ["[[source]]", f"id   = {json.dumps(source)}", f"file = {value}"]
        lines += [f"{word} = {json.dumps(text, ensure_ascii=False)}" for word, text in kept.get(source, {}).items()]
        said.append("\n".join([*lines, "", ""]))
    return "".join(said)


def _relative(file: Path, folder: Path) -> str:
    """Return a path as the study names it; one on another drive cannot be said from its folder."""
    try:
        return Path(os.path.relpath(file, folder)).as_posix()
    except ValueError:
        return file.as_posix()
