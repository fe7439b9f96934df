"""Plugin impulse_response: the room's response itself, from a chirp that repeats."""

from acoustic_sense.hookspecs import RegisterFeature, hookimpl


@hookimpl
def register_features(register: RegisterFeature) -> None:
    """Register `impulse-response`."""
    from acoustic_sense_plugins.impulse_response.feature import ImpulseResponse

    register("impulse-response", ImpulseResponse)
