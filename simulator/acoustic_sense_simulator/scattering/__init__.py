"""Scattering of sound by a body: sphere-calibrated surface pressure, summed over facets.

`pressure` is the sum in the frequency domain, `time_domain` the same sum as impulse responses at
an ambisonics microphone. Both use `sphere` (what a sphere's surface does to a wave), `curvature`
(which sphere a facet belongs to) and `surface` (facets with normals, areas, extents).
"""

from acoustic_sense_simulator.scattering.pressure import scattered_pressure

__all__ = ["scattered_pressure"]
