"""Load the body that a scene's subject asks for."""

from pathlib import Path

from acoustic_sense.types import Subject
from acoustic_sense_simulator.body.body import Body
from acoustic_sense_simulator.body.embedded import Facets, embedded_model
from acoustic_sense_simulator.body.smpl_file import smpl_model


def load_body(subject: Subject, facets: Facets = "coarse") -> Body:
    """Return the subject's body, shaped.

    Args:
        subject: `body` is `embedded` or the path of an SMPL file (.npz or .pkl); `betas` is its
            shape.
        facets: Resolution of the embedded body; an SMPL file has one of its own.

    Raises:
        SimulationError: The file is missing or is not an SMPL body, or there are too many betas.
    """
    model = embedded_model(facets) if subject.body == "embedded" else smpl_model(Path(subject.body))
    return Body(model, subject.betas)
