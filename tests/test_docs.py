"""The pages keep their promises: every test they name exists, every link leads somewhere."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from gpvar import load_study

ROOT = Path(__file__).resolve().parent.parent
PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md"), *(ROOT / "data").rglob("*.md")])


def page_id(page: Path) -> str:
    return page.relative_to(ROOT).as_posix()


def test_every_test_named_in_the_methods_exists() -> None:
    named = set(re.findall(r"`(test_\w+)`", (ROOT / "docs" / "methods.md").read_text(encoding="utf-8")))
    written = {
        name
        for path in (ROOT / "tests").rglob("test_*.py")
        for name in re.findall(r"^def (test_\w+)", path.read_text(encoding="utf-8"), flags=re.MULTILINE)
    }
    assert len(named) > 20
    assert not named - written


@pytest.mark.parametrize("page", PAGES, ids=page_id)
def test_every_local_link_leads_somewhere(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    links = [link for link in re.findall(r"\]\(([^)#]+?)(?:#[^)]*)?\)", text) if "://" not in link]
    missing = [link for link in links if not (page.parent / link).exists()]
    assert not missing


def test_the_study_on_the_page_is_a_study(tmp_path: Path) -> None:
    text = (ROOT / "docs" / "study.md").read_text(encoding="utf-8")
    example = re.search(r"```toml\n(.*?)```", text, flags=re.DOTALL)
    assert example is not None
    (tmp_path / "study.toml").write_text(example[1], encoding="utf-8")
    assert load_study(tmp_path).area.practices == ("A81001", "A81002")
