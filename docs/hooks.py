"""Hooks of the documentation build: add the generated pages to the site."""

import sys
from pathlib import Path
from typing import Any

from mkdocs.structure.files import File, Files

sys.path.insert(0, str(Path(__file__).parent))

import generate_reference


def on_files(files: Files, config: Any) -> Files:
    """Add the reference pages, written from the program itself."""
    for path, write in generate_reference.pages().items():
        files.append(File.generated(config, path, content=write()))
    return files
