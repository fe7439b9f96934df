"""Exact scattering of a point source by a sphere, straight from the series.

    p_s(r, mu) = i k / (4 pi) sum_n (2 n + 1) c_n h_n(k d) h_n(k r) P_n(mu)
    c_n = -(j_n'(k a) + i beta j_n(k a)) / (h_n'(k a) + i beta h_n(k a))

Bowman, Senior, Uslenghi 1969, section 10.2.2 and 10.4.2, with time
exp(-i omega t).
"""

import numpy as np
from scipy.special import eval_legendre, spherical_jn, spherical_yn


def scattered_by_sphere(radius_m, source_m, receivers_m, frequency_hz, beta=0.0, c=343.0):
    """Pressure scattered by a sphere at the origin, unit monopole, shape (receiver,)."""
    k = 2 * np.pi * frequency_hz / c
    d = np.linalg.norm(source_m)
    r = np.linalg.norm(receivers_m, axis=1)
    mu = receivers_m @ source_m / (d * r)
    total = np.zeros(len(r), dtype=complex)
    x = k * radius_m
    for n in range(int(x + 4 * np.cbrt(x) + 16)):
        j, dj = spherical_jn(n, x), spherical_jn(n, x, True)
        h, dh = j + 1j * spherical_yn(n, x), dj + 1j * spherical_yn(n, x, True)
        factor = -(dj + 1j * beta * j) / (dh + 1j * beta * h)
        h_source = spherical_jn(n, k * d) + 1j * spherical_yn(n, k * d)
        h_receiver = spherical_jn(n, k * r) + 1j * spherical_yn(n, k * r)
        total += (2 * n + 1) * factor * h_source * h_receiver * eval_legendre(n, mu)
    return 1j * k / (4 * np.pi) * total
