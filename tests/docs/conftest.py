"""What the tests of the documentation share."""

import importlib.util
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
BENCHMARKS = ROOT / "benchmarks"


def load_docs_module(name: str) -> ModuleType:
    """Import a module that lies in docs, which is no package."""
    specification = importlib.util.spec_from_file_location(name, DOCS / f"{name}.py")
    module = importlib.util.module_from_spec(specification)
    sys.modules[name] = module
    specification.loader.exec_module(module)
    return module


@pytest.fixture(scope="session")
def load_benchmark() -> Callable[[str], ModuleType]:
    """Import a script of benchmarks, which is no package; leaves no other script importable."""

    def load(name: str) -> ModuleType:
        before = set(sys.modules)
        specification = importlib.util.spec_from_file_location(
            f"benchmark_{name}", BENCHMARKS / f"{name}.py"
        )
        module = importlib.util.module_from_spec(specification)
        sys.path.insert(0, str(BENCHMARKS))
        try:
            specification.loader.exec_module(module)
        finally:
            sys.path.remove(str(BENCHMARKS))
            for other in set(sys.modules) - before:
                if str(getattr(sys.modules[other], "__file__", "")).startswith(str(BENCHMARKS)):
                    del sys.modules[other]
        return module

    return load


@pytest.fixture(scope="session")
def reference() -> dict[str, str]:
    """The generated pages by path."""
    return {path: write() for path, write in load_docs_module("generate_reference").pages().items()}


@pytest.fixture(scope="session")
def readme_sections() -> ModuleType:
    """The module that writes the README's generated sections."""
    return load_docs_module("readme_sections")


@pytest.fixture(scope="session")
def how_true() -> ModuleType:
    """The module that writes the figures of the page on how true the simulator is."""
    return load_docs_module("how_true")
