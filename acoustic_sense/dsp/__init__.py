"""Signal processing: short-time spectra, mel bands, intensity and ambisonics conventions.

All functions are batched over leading axes and, where they take tensors, differentiable.
"""
