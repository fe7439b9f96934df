"""Every page: its code runs, its settings are valid, its commands exist, its links hold."""

import re
import shlex
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType

import pytest
import typer

import acoustic_sense
from acoustic_sense.benchmarking import BenchmarkConfig
from acoustic_sense.cli.main import app, run
from acoustic_sense.config import parse_config
from acoustic_sense.contracts.simulator import load_simulator
from acoustic_sense.datasets import Protocol
from acoustic_sense.training.config import TrainConfig

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
EXAMPLES = DOCS / "examples"
WRITTEN = sorted(
    path for path in DOCS.rglob("*.md") if EXAMPLES not in path.parents and path.is_file()
)
PAGES = [*WRITTEN, ROOT / "README.md", ROOT / "CONTRIBUTING.md", ROOT / "CHANGELOG.md"]
FENCE = re.compile(
    r"^```(?P<language>[\w-]*)(?P<rest>[^\n`]*)\n(?P<body>.*?)^```$", re.MULTILINE | re.DOTALL
)


@dataclass(frozen=True)
class Block:
    """A fenced block of code."""

    language: str
    title: str
    body: str


def read_blocks(text: str) -> list[Block]:
    found = []
    for match in FENCE.finditer(text):
        title = re.search(r'title="([^"]+)"', match["rest"])
        found.append(Block(match["language"], title[1] if title else "", match["body"]))
    return found


def relative(path: Path) -> str:
    return str(path.relative_to(ROOT))


@pytest.mark.parametrize("page", PAGES, ids=relative)
def test_code_blocks_work(page: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    run_blocks(read_blocks(page.read_text(encoding="utf-8")), tmp_path, monkeypatch)


def test_code_blocks_of_generated_pages_work(
    reference: dict[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    for text in reference.values():
        run_blocks(read_blocks(text), tmp_path, monkeypatch)


def run_blocks(blocks: list[Block], folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Run a page's blocks from top to bottom; blocks of Python share their names."""
    names: dict[str, object] = {"__name__": "page"}
    modules = set(sys.modules)
    try:
        for block in blocks:
            if block.title:
                write_file(block, folder, monkeypatch)
            elif block.language == "python":
                exec(compile(block.body, "page", "exec"), names)
            elif block.language == "toml":
                check_toml(block.body)
            elif block.language == "bash":
                for line in block.body.splitlines():
                    check_command(line)
            else:
                assert block.language == "text", f"a block of '{block.language}' is not tested"
    finally:
        for name in set(sys.modules) - modules:
            if str(folder) in str(getattr(sys.modules[name], "__file__", "")):
                del sys.modules[name]


def write_file(block: Block, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Write a block that shows a file of a project, and make the project importable."""
    path = folder / block.title
    assert path.is_file(), f"{block.title} is not a file of the project that the page made"
    path.write_text(block.body, encoding="utf-8")
    monkeypatch.syspath_prepend(str(folder / Path(block.title).parts[0]))


def check_toml(text: str) -> None:
    """Validate a TOML block against the model of the file that its first line names."""
    models = {
        "dataset.toml": load_simulator().GenerationConfig,
        "train.toml": TrainConfig,
        "protocol.toml": Protocol,
        "benchmark.toml": BenchmarkConfig,
    }
    file = text.splitlines()[0].removeprefix("# ").strip()
    assert file in models, f"the first line of a TOML block names its file, not '{file}'"
    parse_config(models[file], tomllib.loads(text), file)


def check_command(line: str) -> None:
    """Parse a command line; run it if it only looks at what is installed."""
    words = shlex.split(line, comments=True)
    while words and re.fullmatch(r"[A-Z_]+=.*", words[0]):
        words = words[1:]
    for word in words:
        assert "docs/" not in word or (ROOT / word).exists(), word
    program, *arguments = words or [""]
    if program == "acoustic-sense":
        parse(arguments)
        if is_quick(arguments):
            assert run(arguments) == 0
    elif program == "make":
        makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
        assert all(re.search(rf"^{target}:", makefile, re.MULTILINE) for target in arguments)
    elif program.startswith("scripts/"):
        assert (ROOT / program).is_file()
    else:
        assert program in {"", "pip", "python"}, f"unknown command '{program}'"


def parse(arguments: list[str]) -> None:
    """Parse the arguments of acoustic-sense as the program would, without doing anything."""
    command, name = typer.main.get_command(app), "acoustic-sense"
    rest = list(arguments)
    while rest and rest[0] in getattr(command, "commands", {}):
        name = rest.pop(0)
        command = command.commands[name]
    if "--help" in rest or "--version" in rest:
        return
    command.make_context(name, rest)


def is_quick(arguments: list[str]) -> bool:
    """Return whether a command neither takes long nor needs anything that is not there."""
    if arguments[:1] != ["plugins"]:
        return arguments in (["--help"], ["--version"])
    known = {each.name for each in acoustic_sense.load_plugins().registrations}
    if arguments[1:2] in (["show"], ["check"]) and len(arguments) == 3:
        return arguments[2] in known
    return arguments[1:2] in ([], ["list"], ["new"])


@pytest.mark.parametrize("page", PAGES, ids=relative)
def test_links_lead_somewhere(page: Path) -> None:
    text = FENCE.sub("", page.read_text(encoding="utf-8"))
    for target in re.findall(r"\]\(([^)\s]+)\)", text):
        path = target.split("#")[0]
        if re.match(r"\w+:", target) or not path:
            continue
        inside = (page.parent / path).resolve()
        generated = DOCS / "reference"
        known = inside.exists() or (inside.parent == generated and inside.stem in GENERATED)
        assert known, f"{relative(page)} links to {target}"


GENERATED = {"cli", "hooks", "config", "plugins", "errors"}


@pytest.mark.parametrize("page", PAGES, ids=relative)
def test_files_that_are_named_exist(page: Path) -> None:
    roots = [ROOT, ROOT / "plugins" / "acoustic_sense_plugins", ROOT / "simulator"]
    named = re.findall(r"`([\w./-]+/[\w.-]+\.py|docs/[\w./-]+)`", page.read_text(encoding="utf-8"))
    for name in named:
        assert any((root / name).exists() for root in roots), f"{relative(page)} names {name}"


def test_menu_holds_every_page() -> None:
    menu = re.findall(r"^\s+- (?:\w+: )?([\w/-]+\.md)$", (ROOT / "mkdocs.yml").read_text(), re.M)
    generated = {f"reference/{name}.md" for name in GENERATED}
    assert set(menu) == generated | {path.relative_to(DOCS).as_posix() for path in WRITTEN}
    assert len(menu) == len(set(menu))


def test_generated_sections_of_the_readme_are_up_to_date(readme_sections: ModuleType) -> None:
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    assert readme_sections.filled(text) == text, "run: python docs/readme_sections.py"


@pytest.mark.slow
def test_site_builds_and_asks_nothing_of_the_network(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "mkdocs", "build", "--strict", "--quiet", "-d", str(tmp_path)]
    built = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=120)
    assert built.returncode == 0, built.stderr
    pages = list(tmp_path.rglob("*.html"))
    assert len(pages) > 20
    for page in pages:
        asked = list(fetched(page.read_text(encoding="utf-8")))
        assert not asked, f"{page.name}: {asked[:3]}"


def fetched(html: str) -> Iterator[str]:
    """Yield the addresses that a browser would fetch with a page."""
    for tag in re.findall(r"<(?:script|img|link|iframe|source|audio|video)\b[^>]*>", html):
        if 'rel="canonical"' in tag or 'rel="prev"' in tag or 'rel="next"' in tag:
            continue
        yield from re.findall(r'(?:src|href)="((?:https?:)?//[^"]+)"', tag)
