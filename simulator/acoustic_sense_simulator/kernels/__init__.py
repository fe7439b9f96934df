"""Compiled kernels of the scattering sum.

They lie outside the package `scattering`, whose annotations tests check at run time: compiled code
cannot be. `lanes` holds the vector operations, `facets` what is known of a pose before any sound,
`accumulate` the sum over facets and paths, `ringing` the filters. `winding` is for motions: whether
limbs are inside other parts of a body.

No `fastmath`: with it the last bit of a result came to depend on where arrays happened to lie in
memory, and the same scene did not always give the same bytes. What has to be fused and vectorised
says so itself.
"""
