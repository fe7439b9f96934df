"""Protocols: named and written, never leaking a take or a subject."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from acoustic_sense.datasets import Protocol, find_protocol, load_protocol
from acoustic_sense.datasets.protocols import ProtocolChoice
from acoustic_sense.errors import ConfigError, DatasetError
from acoustic_sense.types import TakeInfo

TAKES = tuple(
    TakeInfo(f"{subject}-{track}-{room}", subject, track, genre, room, 6.0)
    for subject in ("s1", "s2", "s3")
    for track, genre in (("arnor", "ambient"), ("cirrus", "ambient"), ("jazz", "jazz"))
    for room in ("hall", "office")
)
NAMES = ("leave-one-subject-out", "single-music", "cross-music", "cross-genre", "cross-room")


def values(takes, attribute):
    return {getattr(take, attribute) for take in takes}


@pytest.mark.parametrize("name", NAMES)
@given(
    test=st.sets(st.sampled_from(["s1", "s2", "s3"]), min_size=1, max_size=2),
    watched=st.sets(st.sampled_from(["s1", "s2", "s3"]), max_size=1),
)
def test_named_protocols_share_neither_take_nor_subject(name, test, watched):
    choice = ProtocolChoice(
        name=name, test_subjects=tuple(sorted(test)), validation_subjects=tuple(watched - test)
    )
    if len(test | watched) == 3:
        with pytest.raises(DatasetError, match="no subject is left"):
            find_protocol(choice, TAKES)
        return
    split = find_protocol(choice, TAKES).split(TAKES)
    assert values(split.test, "subject") == test
    assert not values(split.train, "subject") & values(split.test, "subject")
    assert not values(split.train, "subject") & values(split.validation, "subject")
    assert bool(split.validation) == bool(watched - test)


def test_single_music_trains_and_tests_on_one_track():
    split = find_protocol("single-music", TAKES).split(TAKES)
    assert values(split.train, "track") == values(split.test, "track") == {"arnor"}


@pytest.mark.parametrize(
    ("name", "attribute", "held_out"),
    [
        ("cross-music", "track", "jazz"),
        ("cross-genre", "genre", "jazz"),
        ("cross-room", "room", "office"),
    ],
)
def test_cross_protocols_test_on_what_training_never_saw(name, attribute, held_out):
    split = find_protocol(name, TAKES).split(TAKES)
    assert values(split.test, attribute) == {held_out}
    assert not values(split.train, attribute) & {held_out}
    assert values(split.train, "subject") == {"s1", "s2"}


@pytest.mark.parametrize("name", ["noise", "plain-clothes", "off-axis"])
def test_conditions_are_tested_on_takes_that_have_their_tag(name):
    tagged = tuple(replace(take, id=f"{take.id}-other", tags=(name,)) for take in TAKES)
    choice = ProtocolChoice(name=name, test_subjects=("s2",), validation_subjects=("s1",))
    split = find_protocol(choice, TAKES + tagged).split(TAKES + tagged)
    assert set(split.test) == {take for take in tagged if take.subject == "s2"}
    assert set(split.train) == {take for take in TAKES if take.subject == "s3"}
    assert set(split.validation) == {take for take in TAKES if take.subject == "s1"}
    one_track = choice.model_copy(update={"test_tracks": ("jazz",)})
    split = find_protocol(one_track, TAKES + tagged).split(TAKES + tagged)
    assert values(split.train, "track") == values(split.test, "track") == {"jazz"}


def test_conditions_choose_test_takes_where_there_is_nothing_to_train_on():
    tagged = tuple(replace(take, tags=("noise",)) for take in TAKES)
    chosen = find_protocol("noise", tagged).select_test(tagged)
    assert values(chosen, "subject") == {"s3"}


def test_rejects_conditions_that_no_take_has():
    with pytest.raises(
        DatasetError, match=r"the tag 'off-axis', but no take.*--condition off-axis"
    ):
        find_protocol("off-axis", TAKES)


def test_what_is_held_out_can_be_chosen():
    choice = ProtocolChoice(
        name="cross-music",
        test_subjects=("s1",),
        exclude_subjects=("s2",),
        test_tracks=("cirrus",),
    )
    split = find_protocol(choice, TAKES).split(TAKES)
    assert values(split.train, "subject") == {"s3"}
    assert values(split.train, "track") == {"arnor", "jazz"}
    assert values(split.test, "track") == {"cirrus"}


def test_written_protocol_selects_by_tags(tmp_path):
    takes = (
        TakeInfo("a", "s1", "t", tags=("suit",)),
        TakeInfo("b", "s2", "t", tags=("suit", "noisy")),
        TakeInfo("c", "s3", "t", tags=("plain",)),
    )
    file = tmp_path / "plain-clothes.toml"
    file.write_text(
        '[train]\ntags = ["suit"]\nwithout_tags = ["noisy"]\n[test]\ntags = ["plain"]\n'
    )
    protocol = load_protocol(file)
    assert protocol.name == "plain-clothes"
    split = protocol.split(takes)
    assert [take.id for take in split.train] == ["a"]
    assert [take.id for take in split.test] == ["c"]
    assert find_protocol(str(file), takes) == protocol


def test_take_in_train_and_test_is_refused():
    leaking = Protocol.model_validate({"train": {}, "test": {"subjects": ["s3"]}})
    with pytest.raises(DatasetError, match="take 's3-arnor-hall' is both in train and in test"):
        leaking.split(TAKES)


def test_subject_in_train_and_test_is_refused_unless_allowed():
    data = {"train": {"tracks": ["arnor"]}, "test": {"tracks": ["jazz"]}}
    with pytest.raises(DatasetError, match="subject 's1' is both"):
        Protocol.model_validate(data).split(TAKES)
    split = Protocol.model_validate({**data, "cross_subject": False}).split(TAKES)
    assert len(split.train) == len(split.test) == 6


def test_subject_in_train_and_validation_is_refused():
    data = {
        "train": {"subjects": ["s1"], "tracks": ["arnor"]},
        "validation": {"subjects": ["s1"], "tracks": ["jazz"]},
        "test": {"subjects": ["s2"]},
    }
    with pytest.raises(DatasetError, match="in train and in validation"):
        Protocol.model_validate(data).split(TAKES)


def test_empty_selection_names_the_role_and_what_there_is():
    protocol = Protocol.model_validate({"train": {"subjects": ["s9"]}, "test": {}})
    with pytest.raises(DatasetError, match=r"for train by subjects = s9.*subjects s1, s2, s3"):
        protocol.split(TAKES)


def test_errors_suggest_what_was_meant():
    with pytest.raises(ConfigError, match="did you mean 'cross-music'"):
        find_protocol("cross-musik", TAKES)
    with pytest.raises(DatasetError, match="did you mean 'cirrus'"):
        find_protocol(ProtocolChoice(name="cross-music", test_tracks=("cirus",)), TAKES)
    with pytest.raises(DatasetError, match="has only arnor"):
        find_protocol("cross-music", [take for take in TAKES if take.track == "arnor"])
