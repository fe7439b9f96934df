"""Progress of a simulation: takes, seconds, rate and time left, judged by this run alone."""

import io
import re

import pytest
from rich.console import Console

from acoustic_sense.cli.main import run
from acoustic_sense.cli.simulation_progress import (
    LINE_EVERY_S,
    Pacer,
    progress_bar,
    progress_lines,
)
from acoustic_sense.contracts.simulator import GenerationProgress


class Clock:
    """A clock that is set by hand."""

    def __init__(self):
        self.now_s = 100.0

    def __call__(self):
        return self.now_s


def report(takes, total=10, seconds=20.0):
    return GenerationProgress(takes, total, takes * seconds, total * seconds)


def test_rate_is_audio_made_over_time_gone_by():
    clock = Clock()
    pacer = Pacer(clock)
    assert pacer.pace(report(0)).rate is None
    clock.now_s += 8.0
    pace = pacer.pace(report(4))
    assert pace.rate == pytest.approx(10.0)
    assert pace.left_s == pytest.approx(12.0)


def test_takes_of_an_earlier_run_do_not_raise_the_rate():
    clock = Clock()
    pacer = Pacer(clock)
    assert str(pacer.pace(report(6))) == ""
    clock.now_s += 10.0
    pace = pacer.pace(report(8))
    assert pace.rate == pytest.approx(4.0)
    assert str(pace) == "4.0 s of audio per s, 10.0 s left"


def test_a_log_gets_the_first_line_the_last_and_one_now_and_then():
    clock = Clock()
    lines = []
    show = progress_lines(lines.append, clock)
    for takes in range(11):
        show(report(takes))
        clock.now_s += LINE_EVERY_S / 2.5  # 12 s a take
    assert [re.search(r"(\d+)/10 takes", line)[1] for line in lines] == ["1", "4", "7", "10"]
    assert lines[0] == "simulating: 1/10 takes, 20/200 s, 1.7 s of audio per s, 1 min 48 s left"
    assert lines[-1].endswith("200/200 s, 1.7 s of audio per s, 0.0 s left")


def test_a_run_that_finds_everything_done_says_so():
    lines = []
    progress_lines(lines.append, Clock())(report(10))
    assert lines == ["simulating: 10/10 takes, 200/200 s"]


def test_the_bar_shows_takes_seconds_rate_and_time_left():
    screen = io.StringIO()
    console = Console(file=screen, force_terminal=True, width=160)
    with progress_bar(console) as show:
        show(report(0))
        show(report(4))
    shown = screen.getvalue()
    assert "4/10 takes, 80/200 s" in shown
    assert re.search(r"\d s of audio per s, \d", shown)


@pytest.mark.slow
def test_simulate_writes_its_progress_to_a_log(capsys, tmp_path):
    (tmp_path / "a.toml").write_text(
        "seconds = 0.6\nmotion = { rate_hz = 20 }\nsubjects = { count = 2 }\n"
        'tracks = [{ name = "noise", source = "white-noise" }]\n'
        'rooms = [{ name = "room", image_order = 1, late_tail = false }]\n'
    )
    assert run(["simulate", str(tmp_path / "a.toml"), "--out", str(tmp_path / "data")]) == 0
    captured = capsys.readouterr()
    line = r"simulating: {}/2 takes, 1/1 s, [\d.]+ s of audio per s, \d+\.\d s left"
    first, last = captured.err.splitlines()
    assert re.fullmatch(line.format(1), first)
    assert re.fullmatch(line.format(2), last)
    assert captured.out.startswith(f"{tmp_path}/data: ")
