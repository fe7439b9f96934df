"""Poses that are made when they are asked for."""

import numpy as np
import pytest
from acoustic_sense_simulator.body import load_body
from acoustic_sense_simulator.rendering.posing import SkinnedPoses, blocks_of, extent_of

from acoustic_sense.types import Subject

COUNT = 150


@pytest.fixture(scope="module")
def motion():
    generator = np.random.default_rng(2)
    turns = generator.uniform(-0.4, 0.4, (COUNT, 72)).astype(np.float32)
    return turns, generator.uniform(1.0, 2.0, (COUNT, 3)).astype(np.float32)


@pytest.fixture(scope="module")
def body():
    return load_body(Subject(betas=(1.0, -0.5)))


def test_poses_are_those_of_the_body_in_any_order(body, motion):
    poses, whole = SkinnedPoses(body, *motion), body.pose_vertices(*motion)
    assert len(poses) == COUNT
    for pose in (0, 149, 63, 64, -1, 1):
        np.testing.assert_allclose(poses[pose], whole[pose], atol=1e-5)
    np.testing.assert_allclose(poses[10:30], whole[10:30], atol=1e-5)
    with pytest.raises(IndexError):
        poses[COUNT]


def test_same_pose_has_the_same_bytes_whenever_it_is_asked_for(body, motion):
    poses, again = SkinnedPoses(body, *motion), SkinnedPoses(body, *motion)
    forwards = [poses[i].tobytes() for i in range(COUNT)]
    assert forwards == [again[i].tobytes() for i in reversed(range(COUNT))][::-1]


def test_extent_is_that_of_all_vertices(body, motion):
    whole = body.pose_vertices(*motion)
    for poses in (SkinnedPoses(body, *motion), whole, whole[:1]):
        seen = np.concatenate(list(blocks_of(poses)))
        extent = extent_of(poses)
        np.testing.assert_array_equal(extent.bounds_m, [seen.min((0, 1)), seen.max((0, 1))])
        np.testing.assert_allclose(extent.middle_m, seen.astype(float).mean((0, 1)), atol=1e-6)
