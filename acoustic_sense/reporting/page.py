"""The frame of every page: one HTML file that asks nothing of the network."""

import os
from html import escape
from importlib import resources
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from acoustic_sense import __version__

POLICY = (
    "default-src 'none'; img-src data:; media-src data:; "
    "style-src 'unsafe-inline'; script-src 'unsafe-inline'"
)
"""Content security policy: the browser itself refuses any request to the network."""

SHOWN_LIBRARIES = ("torch", "numpy", "scipy", "librosa", "pyroomacoustics")


def asset(name: str) -> str:
    """Return the text of a file in `assets`."""
    return (resources.files(__package__) / "assets" / name).read_text(encoding="utf-8")


def render_page(title: str, body: str, *, script: str = "") -> str:
    """Return a whole HTML document.

    Args:
        title: Plain text; escaped here.
        body: HTML of the page's content.
        script: JavaScript run at the end of the page.
    """
    tail = f"<script>\n{script}</script>\n" if script else ""
    return (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{POLICY}">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        '<meta name="color-scheme" content="light dark">\n'
        f'<meta name="generator" content="acoustic-sense {escape(__version__)}">\n'
        f"<title>{escape(title)}</title>\n<style>\n{asset('style.css')}</style>\n</head>\n<body>\n"
        '<a class="skip" href="#content">Skip to content</a>\n'
        f'<div class="wrap">\n{body}\n'
        f"<footer>Written by acoustic-sense {escape(__version__)}. This page is one file; it loads "
        "nothing from the network.</footer>\n</div>\n"
        f"{tail}</body>\n</html>\n"
    )


def render_section(heading: str, note: str, content: str, *, name: str) -> str:
    """Return a section; `heading` and `note` are plain text, `content` is HTML."""
    shown_note = f'<p class="note">{escape(note)}</p>' if note else ""
    return (
        f'<section aria-labelledby="{name}">\n<h2 id="{name}">{escape(heading)}</h2>\n'
        f"{shown_note}\n{content}\n</section>"
    )


def write_page(path: Path, text: str) -> Path:
    """Write a page aside, then move it into place, so that no half page is ever seen."""
    path.parent.mkdir(parents=True, exist_ok=True)
    aside = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        aside.write_text(text, encoding="utf-8", newline="\n")
        aside.replace(path)
    finally:
        aside.unlink(missing_ok=True)
    return path


def library_versions() -> dict[str, str]:
    """Return the installed versions of the libraries that figures depend on."""
    versions = {"acoustic-sense": __version__}
    for name in SHOWN_LIBRARIES:
        try:
            versions[name] = version(name)
        except PackageNotFoundError:
            continue
    return versions
