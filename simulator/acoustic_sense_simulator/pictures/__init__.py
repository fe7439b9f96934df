"""Pictures of a scene: what stands where, how the room decays, how loud it is behind the body.

Every function returns a matplotlib figure that belongs to no window and no global state; the same
scene gives the same file. They need the extra `acoustic-sense[pictures]`.
"""

from acoustic_sense_simulator.pictures.decay_picture import decay_plot
from acoustic_sense_simulator.pictures.figures import write_figure
from acoustic_sense_simulator.pictures.level_picture import level_behind_body_plot
from acoustic_sense_simulator.pictures.scene_picture import scene_plot

__all__ = ["decay_plot", "level_behind_body_plot", "scene_plot", "write_figure"]
