"""Taking files into a study: copied beside it, and written into the study file."""

from __future__ import annotations

import json
import os
import shutil
import tomllib
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from gpvar.errors import StudyError
from gpvar.sources._members import fingerprint
from gpvar.sources._needs import OLD, PARTLY, THERE, State
from gpvar.study import Study, load_study

_BEGIN = "# Files that gpvar found. It writes these lines anew when it takes files in: put your own sources above them."
_END = "# End of the files that gpvar found."


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
        When the study file cannot be written, or would no longer be read; it is then as it was.
    """
    own = {spec.id for spec in study.sources if spec.file not in taken_before(study)}
    files: dict[str, list[Path]] = {}
    for state in found:
        if state.state in (THERE, PARTLY, OLD) and state.need.source not in own:
            known = files.setdefault(state.need.source, [])
            known += [kept for item in state.files if (kept := kept_beside(item.path, study)) not in known]
    if files:
        write_sources(study, files)
    return tuple(file for several in files.values() for file in several)


def taken_before(study: Study) -> set[Path]:
    """Return the files that gpvar itself has named in the study file."""
    text = _text(study)
    if _BEGIN not in text:
        return set()
    block = tomllib.loads(text[text.index(_BEGIN) :]).get("source", [])
    names = [name for source in block for name in _several(source.get("file", []))]
    return {Path(os.path.normpath(study.folder / name)) for name in names}


def _several(value: object) -> list[str]:
    return [value] if isinstance(value, str) else list(value)  # type: ignore[call-overload]


def kept_beside(path: Path, study: Study) -> Path:
    """Return the file inside the study's folder, copied there when it lies elsewhere."""
    if path.is_relative_to(study.folder.resolve()):
        return path
    folder = study.folder.resolve() / "data" / "raw"
    target = folder / path.name
    number = 1
    while target.exists() and fingerprint(target) != fingerprint(path):
        number += 1
        target = folder / f"{path.stem}-{number}{path.suffix}"
    if not target.exists():
        try:
            folder.mkdir(parents=True, exist_ok=True)
            unfinished = target.with_name(target.name + ".part")
            shutil.copyfile(path, unfinished)
            unfinished.replace(target)
        except OSError as error:
            raise StudyError(
                f"A file could not be copied into the study ({error.strerror or error}).",
                f"{path} to {folder}",
                "Make room on the disk, or choose a folder in which you may write.",
            ) from error
    return target


def write_sources(study: Study, files: Mapping[str, Iterable[Path]]) -> None:
    """Write the files of publications into a study file, in place of those written before.

    Parameters
    ----------
    study
        A study that was read from a file.
    files
        Publication → its files, inside the study's folder.

    Raises
    ------
    StudyError
        When the file cannot be written, or would no longer be read; it is then as it was.
    """
    assert study.path is not None
    before = _text(study)
    kept = before[: before.index(_BEGIN)] if _BEGIN in before else before
    after = before.partition(_END)[2] if _BEGIN in before else ""
    text = f"{kept.rstrip()}\n\n{_BEGIN}\n{_blocks(study, files)}{_END}\n{after.lstrip()}"
    load_study(tomllib.loads(text), study.folder, complete=False)
    unfinished = study.path.with_name(study.path.name + ".part")
    try:
        unfinished.write_text(text, encoding="utf-8", newline="\n")
        unfinished.replace(study.path)
    except OSError as error:
        raise StudyError(
            f"The study file could not be written ({error.strerror or error}).",
            str(study.path),
            "Close it in any other program, and run the same command again.",
        ) from error


def _blocks(study: Study, files: Mapping[str, Iterable[Path]]) -> str:
    said = []
    for source, several in files.items():
        names = [Path(os.path.relpath(file, study.folder.resolve())).as_posix() for file in several]
        # JSON's text is TOML's.
        value = json.dumps(names[0] if len(names) == 1 else names, ensure_ascii=False)
        said.append(f"[[source]]\nid   = {json.dumps(source)}\nfile = {value}\n\n")
    return "".join(said)


def _text(study: Study) -> str:
    assert study.path is not None
    return study.path.read_text(encoding="utf-8-sig")
