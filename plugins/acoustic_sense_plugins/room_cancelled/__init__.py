"""Plugin room_cancelled: the recording without the room's own response to the playback."""

from acoustic_sense.hookspecs import RegisterFeature, hookimpl


@hookimpl
def register_features(register: RegisterFeature) -> None:
    """Register `room-cancelled-stack`."""
    from acoustic_sense_plugins.room_cancelled.feature import RoomCancelledStack

    register("room-cancelled-stack", RoomCancelledStack)
