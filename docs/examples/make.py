"""Make the examples of the README anew from the simulated study.

Run with ``python docs/examples/make.py`` after a change that shows in the reports. The pictures of the Word files need
LibreOffice (``soffice``) and poppler (``pdftoppm``) on the PATH; the Word files do not.
"""

from __future__ import annotations

import shutil
import subprocess
import tempfile
from pathlib import Path

from gpvar import pipeline, reporting, starter

EXAMPLES = {"X14474": "far-outside", "X14509": "in-line", "X14544": "cannot-answer"}
ANNEX = "letter_reply_annex.docx"
HERE = Path(__file__).resolve().parent


def main() -> None:
    """Write a Word file and a picture of its first page for each example, the annex to a reply among them."""
    with tempfile.TemporaryDirectory() as scratch:
        study = starter.lay_out_demo(Path(scratch) / "demo")
        text = study.read_text(encoding="utf-8")
        practices = text[text.index("practices = [") : text.index("]", text.index("practices = [")) + 1]
        chosen = "practices = [" + ", ".join(f'"{code}"' for code in EXAMPLES) + "]"
        study.write_text(text.replace(practices, chosen), encoding="utf-8")
        run = pipeline.run(study)
        published = reporting.publish_run(run, kinds=("claims", "practice"), formats=("docx",), progress=print)
        wanted = {f"{code}_{run.study.metrics[0]}.docx": name for code, name in EXAMPLES.items()}
        for file, name in {**wanted, ANNEX: "reply-annex"}.items():
            report = next(path for path in published.files if path.name == file)
            target = HERE / f"{name}.docx"
            shutil.copyfile(report, target)
            _picture(target, Path(scratch))


def _picture(document: Path, scratch: Path) -> None:
    subprocess.run(
        ["soffice", "--headless", "--convert-to", "pdf", "--outdir", str(scratch), str(document)],
        check=True,
        capture_output=True,
    )
    pdf = scratch / f"{document.stem}.pdf"
    picture = document.with_suffix("")
    command = ["pdftoppm", "-r", "80", "-png", "-singlefile", "-f", "1", "-l", "1", str(pdf), str(picture)]
    subprocess.run(command, check=True)


if __name__ == "__main__":
    main()
