"""One thread per worker: set inside, restored afterwards."""

import pyroomacoustics
import torch
from acoustic_sense_simulator.generation.threads import single_thread
from threadpoolctl import threadpool_info


def test_one_thread_inside_and_the_old_number_afterwards() -> None:
    before = pyroomacoustics.constants.get("num_threads"), torch.get_num_threads()
    pyroomacoustics.constants.set("num_threads", 3)
    try:
        with single_thread():
            assert torch.get_num_threads() == 1
            assert pyroomacoustics.constants.get("num_threads") == 1
            assert all(pool["num_threads"] == 1 for pool in threadpool_info())
        assert pyroomacoustics.constants.get("num_threads") == 3
    finally:
        pyroomacoustics.constants.set("num_threads", before[0])
    assert torch.get_num_threads() == before[1]
