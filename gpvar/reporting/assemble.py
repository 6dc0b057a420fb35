"""Executed notebook → Markdown and pictures, and a copy of the notebook that tells no tales."""

from __future__ import annotations

import base64
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gpvar.reporting.display import MIME
from gpvar.words import escape_markdown

_A4_TEXT_CM = 17.4


@dataclass(frozen=True, slots=True)
class Picture:
    """A chart as it came out of the notebook."""

    name: str
    title: str
    alt: str
    png: bytes
    svg: str
    csv: str


@dataclass(frozen=True, slots=True)
class Page:
    """A report before it is published."""

    markdown: str
    pictures: tuple[Picture, ...]


def assemble(notebook: Any) -> Page:
    """Return the tagged outputs of an executed notebook, in order; everything else stays behind."""
    parts: list[str] = []
    pictures: list[Picture] = []
    row: list[str] = []
    for payload in _payloads(notebook):
        if payload["kind"] == "words":
            parts.append(payload["markdown"])
            continue
        picture = _picture(payload)
        pictures.append(picture)
        position, many = payload["row"]
        row.append(_image(picture, payload["width"], many))
        if position == many - 1:
            parts.append(f"::: {{.charts .of{many}}}\n\n{' '.join(row)}\n\n:::")
            row = []
    return Page("\n\n".join(parts) + "\n", tuple(pictures))


def _payloads(notebook: Any) -> list[dict[str, Any]]:
    outputs = [output for cell in notebook.cells for output in cell.get("outputs", [])]
    return [output["data"][MIME] for output in outputs if MIME in output.get("data", {})]


def _picture(payload: dict[str, Any]) -> Picture:
    return Picture(
        payload["name"],
        payload["title"],
        payload["alt"],
        base64.b64decode(payload["png"]),
        payload["svg"],
        payload["csv"],
    )


def _image(picture: Picture, width: float, many: int) -> str:
    centimetres = 8.5 if many > 1 else min(_A4_TEXT_CM, 2.54 * width)
    return f"![{escape_markdown(picture.alt, 2000)}]({picture.name}.png){{width={centimetres:.1f}cm}}"


def scrubbed(notebook: Any, folder: Path) -> Any:
    """Return a copy without absolute paths, papermill's metadata and timings."""
    import copy

    clean = copy.deepcopy(notebook)
    clean.metadata.pop("papermill", None)
    for cell in clean.cells:
        for key in ("papermill", "execution"):
            cell.get("metadata", {}).pop(key, None)
        if cell.cell_type == "code":
            cell.source = _relative(cell.source, folder)
            cell.outputs = [output for output in cell.outputs if MIME in output.get("data", {})]
    return clean


def _relative(source: str, folder: Path) -> str:
    for written in (str(folder), str(folder).replace("\\", "\\\\"), folder.as_posix()):
        source = source.replace(written, "..")
    return source
