"""What a notebook shows. Only what passes through here is published; code, prints and stray results never are."""

from __future__ import annotations

import base64
import io
from typing import Any

from gpvar.charts.style import Chart, save
from gpvar.tables import Table

MIME = "application/vnd.gpvar.output+json"


def show(thing: str | Table | Chart | tuple[str | Table | Chart, ...]) -> None:
    """Show a sentence, a table or pictures in a notebook, tagged so that the publisher takes it.

    Parameters
    ----------
    thing
        Markdown of ours (text from files already escaped), a `Table`, a `Chart`, or charts to stand side by side
        where there is room. A tuple of these and of words and tables is shown one after the other. An empty tuple
        shows nothing.
    """
    from IPython.display import display

    if isinstance(thing, (str, Table)):
        text = thing if isinstance(thing, str) else thing.to_markdown()
        if not text:
            return
        payload: dict[str, Any] = {"kind": "words", "markdown": text}
        display({"text/markdown": text, "text/plain": text, MIME: payload}, raw=True)
        return
    charts = (thing,) if isinstance(thing, Chart) else thing
    if not all(isinstance(part, Chart) for part in charts):
        for part in charts:
            show(part)
        return
    for position, chart in enumerate(chart for chart in charts if isinstance(chart, Chart)):
        picture = _bytes(chart, "png")
        payload = {
            "kind": "chart",
            "row": [position, len(charts)],
            "title": chart.title,
            "alt": chart.alt,
            "name": chart.name,
            "width": float(chart.figure.get_size_inches()[0]),
            "png": base64.b64encode(picture).decode("ascii"),
            "svg": _bytes(chart, "svg").decode("utf-8"),
            "csv": chart.data.to_csv(index=False, lineterminator="\n"),
        }
        bundle = {"image/png": payload["png"], "text/plain": chart.alt, MIME: payload}
        display(bundle, raw=True, metadata={"image/png": {"alt": chart.alt}})


def _bytes(chart: Chart, kind: str) -> bytes:
    target = io.BytesIO()
    save(chart, target, kind)
    return target.getvalue()
