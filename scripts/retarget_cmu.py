"""Retarget the two CMU captures that ship with the simulator.

A development tool, not part of the runtime. The BVH files come from Debian's package
assimp-testmodels:

    apt-get download assimp-testmodels && dpkg -x assimp-testmodels_*.deb assimp
    python scripts/retarget_cmu.py assimp/usr/share/assimp/models/BVH

Left out: the calibration pose at the beginning of each file, and the stretches of 01_03 in which
the subject climbs up to, hangs or swings from a bar that is not there. Stored at 60 frames a
second; see `acoustic_sense_simulator.motion.embedded_captures`.
"""

import argparse
import zipfile
from pathlib import Path

import acoustic_sense_simulator.motion as motion_package
import numpy as np
from acoustic_sense_simulator.body import load_body
from acoustic_sense_simulator.motion.bvh import read_bvh
from acoustic_sense_simulator.motion.capture import leg_length
from acoustic_sense_simulator.motion.embedded_captures import ANGLE_STEP, LENGTH_STEP_M, encoded
from acoustic_sense_simulator.motion.retargeting import retargeted

from acoustic_sense.types import Subject

RATE_HZ = 60
CLIPS_S = {  # seconds kept of each file
    "01_01": ((0.0, 22.8),),
    "01_03": ((0.0, 2.5), (12.3, 15.3), (16.8, 20.0), (27.5, 31.6), (34.4, 37.5)),
}


def main() -> None:
    """Write `motion/data/cmu.npz`."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path, help="folder with 01_01.bvh and 01_03.bvh")
    folder = parser.parse_args().folder
    rest_joints = load_body(Subject()).rest_joints
    arrays: dict[str, np.ndarray] = {}
    names = []
    for trial, spans in CLIPS_S.items():
        capture = retargeted(read_bvh(folder / f"{trial}.bvh"), trial, rest_joints)
        for number, span in enumerate(spans):
            clip = capture.part(*span).resampled(RATE_HZ)
            name = f"{trial}_{number}"
            names.append(name)
            arrays[f"{name}_pose"] = encoded(clip.pose.reshape(-1, 72), ANGLE_STEP)
            pelvis = clip.pelvis - clip.pelvis[0] * [1, 0, 1]
            arrays[f"{name}_pelvis"] = encoded(pelvis, LENGTH_STEP_M)
            print(name, f"{len(clip.pose) / RATE_HZ:.1f} s")
    arrays["names"] = np.array(names)
    arrays["rate_hz"] = np.array(float(RATE_HZ))
    arrays["leg_m"] = np.array(leg_length(rest_joints))
    out = Path(motion_package.__file__).parent / "data" / "cmu.npz"
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
        for name, array in arrays.items():  # without time stamps: same input, same bytes
            entry = zipfile.ZipInfo(f"{name}.npy", date_time=(1980, 1, 1, 0, 0, 0))
            entry.compress_type = zipfile.ZIP_DEFLATED
            with archive.open(entry, "w") as file:
                np.lib.format.write_array(file, array, allow_pickle=False)
    print(out, f"{out.stat().st_size / 1e6:.3f} MB")


if __name__ == "__main__":
    main()
