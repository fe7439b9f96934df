"""The mel stack through librosa, channel by channel."""

import librosa
import numpy as np


def literal_stack(recording: np.ndarray, playback: np.ndarray, rate: int) -> np.ndarray:
    """Return the stack of one clip through librosa, channel by channel, in double precision."""
    frame = rate // 20
    filters = librosa.filters.mel(sr=rate, n_fft=frame, n_mels=128)
    spectra, channels = [], []
    for signal in [*recording, *playback]:
        spectra.append(
            librosa.stft(signal.astype(np.float64), n_fft=frame, hop_length=frame, center=False)
        )
        power = librosa.feature.melspectrogram(
            S=np.abs(spectra[-1]) ** 2, sr=rate, n_fft=frame, n_mels=128
        )
        channels.append(librosa.power_to_db(power, ref=1.0, amin=1e-10, top_db=None))
    intensity = np.real(np.conj(spectra[0]) * np.array(spectra[1:4]))
    intensity = intensity / np.linalg.norm(intensity, axis=0)
    channels += [filters @ part for part in intensity]
    channels += [filters @ np.angle(spectrum) for spectrum in spectra]
    return np.array(channels).transpose(0, 2, 1)
