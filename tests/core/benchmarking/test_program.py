"""The comparison of methods from the command line."""

import re

import pytest


def test_program_plans_runs_and_reports(folder, tmp_path, outcome_of):
    out = tmp_path / "out"
    arguments = ("benchmark", "run", folder / "benchmark.toml", "--out", out, "--only", "-")
    code, printed, _ = outcome_of(*arguments, "--plan")
    assert code == 0
    assert "cells: 4; done: 0; to run: 4; time: unknown" in printed
    assert not out.exists()
    arguments = (*arguments[:-1], "mean-pose")
    code, printed, err = outcome_of(*arguments)
    assert code == 0
    assert "cells done: 1; see" in printed
    assert re.search(r"\[1/1\] noise/apart/mean-pose/seed-0: RMSE \d\.\d{3}, mean pose", err)
    assert "cells: 1; done: 1; to run: 0; nothing is left" in outcome_of(*arguments, "--plan")[1]
    code, printed, _ = outcome_of("benchmark", "report", out)
    assert code == 0
    assert printed == (
        f"tables: {out}/results.md\nplots: 3 in {out}/plots\npage: {out}/report.html\n"
    )


def test_program_stops_at_its_budget_and_says_what_is_left(folder, tmp_path, outcome_of):
    code, printed, _ = outcome_of(
        *("benchmark", "run", folder / "benchmark.toml", "--out", tmp_path / "out"),
        *("--budget-minutes", 0),
    )
    assert code == 0
    assert "time spent; cells done: 0, left: 4; run this again to go on" in printed


@pytest.mark.parametrize(
    ("old", "new", "line"),
    [
        ("seeds", "seds", "unknown key 'seds'; did you mean 'seeds'?"),
        ("batch_size", "batch_siez", "method 'mean-pose': unknown key 'training.batch_siez'; did"),
        ("width", "widht", "method 'plain': encoder 'bgm2pose-fa': unknown key 'widht'; did you"),
        ("bgm2pose-fa", "bgm2pose-af", "unknown encoder 'bgm2pose-af'; did you mean"),
        ('playback = "noise"', 'playback = "nose"', "no playback 'nose'; did you mean 'noise'?"),
        ('name = "plain"', 'name = "mean-pose"', "'mean-pose' is not trained; leave encoder"),
        ('name = "plain"', 'name = "a/b"', "'methods.2.name': String should match pattern"),
        ("[0, 1]", "[0, 0]", "seed '0' is there twice"),
        ("threads = 1", "seed = 1", "training.seed is not a method's"),
        ('"tiny"', '"gone"', "gone: no such folder; give the folder of a dataset"),
        ('"leave-one-subject-out"', '"leave-one"', "unknown protocol 'leave-one'"),
        (
            '"leave-one-subject-out"',
            '{ test_subjects = ["s9"] }',
            "the dataset has no 's9' among its subjects",
        ),
    ],
)
def test_bad_configuration_is_answered_with_one_line(
    folder, tmp_path, old, new, line, CONFIG, outcome_of
):
    config = folder / "bad.toml"
    config.write_text(CONFIG.replace(old, new))
    code, printed, err = outcome_of("benchmark", "run", config, "--out", tmp_path / "out", "--plan")
    assert (code, printed) == (2, "")
    assert err.startswith("error: ")
    assert line in err
    assert err.count("\n") == 1


@pytest.mark.parametrize(
    ("pair", "line"),
    [
        ("noise", "--data noise: write NAME=DIR"),
        ("nose=tiny", "has no playback 'nose'; did you mean 'noise'?"),
    ],
)
def test_bad_data_option_is_answered_with_one_line(folder, tmp_path, pair, line, outcome_of):
    code, _, err = outcome_of(
        *("benchmark", "run", folder / "benchmark.toml", "--out", tmp_path, "--data", pair),
    )
    assert code == 2
    assert line in err
    assert err.count("\n") == 1
