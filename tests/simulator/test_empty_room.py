"""Responses of the empty room: an impulse through loudspeaker, room and microphone as in a take."""

from dataclasses import replace

import numpy as np
import pytest
from acoustic_sense_simulator import empty_room_response, service
from acoustic_sense_simulator.empty_room import room_responses
from acoustic_sense_simulator.room.response import LEAD_SAMPLES

from acoustic_sense.errors import SimulationError
from acoustic_sense.types import Loudspeaker, Microphone, Noise, PlaybackSource, Room, Scene

ROOM = Room((4.0, 2.6, 3.6), absorption=0.4, image_order=4)
SCENE = Scene(
    seconds=0.5,
    room=ROOM,
    loudspeakers=(
        Loudspeaker((1.1, 1.2, 0.9)),
        Loudspeaker(
            (2.9, 1.0, 0.8),
            response_db=(-6.0, -3.0, 0.0, 1.0, 0.0, -1.0, 0.0, -2.0, -4.0),
            yaw_deg=-80.0,
            cabinet_radius_m=0.12,
        ),
    ),
    microphone=Microphone(
        (2.1, 1.3, 2.7), yaw_deg=70.0, response_db=(-3.0, 0.0, 0.0, 0.0, 0.0, 0.5, 1.0, 1.0, 0.0)
    ),
    subject=None,
    playback=PlaybackSource("white-noise"),
    noise=Noise(noise_criterion=None, self_noise_db_spl=None),
)


def test_a_flat_point_source_gives_the_response_of_the_room() -> None:
    flat = replace(SCENE, microphone=Microphone((2.1, 1.3, 2.7), 70.0))
    response = room_responses(replace(flat, loudspeakers=SCENE.loudspeakers[:1]))
    assert response.shape[:2] == (1, 4)
    expected = empty_room_response(ROOM, (1.1, 1.2, 0.9), (2.1, 1.3, 2.7), 48_000, yaw_deg=70.0)[
        :, LEAD_SAMPLES:
    ]
    taps = min(response.shape[2], expected.shape[1])
    peak = np.abs(expected).max()
    np.testing.assert_allclose(response[0, :, :taps], expected[:, :taps], atol=1e-5 * peak)
    assert np.abs(expected[:, taps:]).max(initial=0.0) < 1e-5 * peak


def test_playback_through_the_responses_is_the_take_of_an_empty_room() -> None:
    take = service.simulate(SCENE)
    responses = room_responses(SCENE)
    count = take.playback.samples.shape[1]
    size = count + responses.shape[2]
    spectra = np.fft.rfft(responses.astype(float), n=size)
    played = np.fft.rfft(take.playback.samples.astype(float), n=size)
    heard = np.fft.irfft((spectra * played[:, None]).sum(axis=0), n=size)[:, :count]
    scale = np.vdot(heard, take.recording.samples) / np.vdot(heard, heard)
    error = np.linalg.norm(take.recording.samples - scale * heard)
    assert error < 1e-4 * np.linalg.norm(take.recording.samples)


def test_a_response_is_cut_where_it_has_died_away_and_not_before() -> None:
    alone = replace(SCENE, loudspeakers=SCENE.loudspeakers[:1])
    (response,) = room_responses(alone)
    energy = np.square(response.astype(float)).sum(axis=0)
    assert energy[-1] > 0
    longer = empty_room_response(ROOM, (1.1, 1.2, 0.9), (2.1, 1.3, 2.7), 48_000)
    assert np.square(longer[:, LEAD_SAMPLES + response.shape[1] :]).sum() < 1e-9 * energy.sum()


def test_a_loudspeaker_outside_the_room_is_one_line() -> None:
    outside = replace(SCENE, loudspeakers=(Loudspeaker((1.0, 1.0, 9.0)),))
    with pytest.raises(SimulationError, match="outside the room") as caught:
        service.room_responses(outside)
    assert "\n" not in str(caught.value)
