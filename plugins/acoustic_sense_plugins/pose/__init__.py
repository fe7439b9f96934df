"""Plugin pose: the task of estimating 3D human pose."""

from acoustic_sense.hookspecs import RegisterTask, hookimpl


@hookimpl
def register_tasks(register: RegisterTask) -> None:
    """Register the pose task."""
    from acoustic_sense_plugins.pose.task import Pose

    register("pose", Pose)
