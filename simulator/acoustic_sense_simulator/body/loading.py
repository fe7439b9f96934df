"""Load the body that a scene's subject asks for."""

from pathlib import Path

from acoustic_sense.errors import SimulationError
from acoustic_sense.types import Subject
from acoustic_sense_simulator.body.body import Body
from acoustic_sense_simulator.body.embedded import Facets, embedded_model
from acoustic_sense_simulator.body.metric_shape import Measures, betas_of_measures, measures
from acoustic_sense_simulator.body.model import BodyModel
from acoustic_sense_simulator.body.smpl_file import smpl_model


def load_body(subject: Subject, facets: Facets = "coarse") -> Body:
    """Return the subject's body, shaped.

    Args:
        subject: `body` is `embedded` or the path of an SMPL file (.npz or .pkl); `betas` is its
            shape, changed as little as possible where `height_m` or `mass_kg` are given.
        facets: Resolution of the embedded body; an SMPL file has one of its own.

    Raises:
        SimulationError: The file is missing or is not an SMPL body, there are too many betas, or
            nobody of this height and mass is in the population.
    """
    model = embedded_model(facets) if subject.body == "embedded" else smpl_model(Path(subject.body))
    return Body(model, subject_betas(subject))


def subject_betas(subject: Subject) -> tuple[float, ...]:
    """Return the betas of a subject, those that give its height and mass where it names them.

    Raises:
        SimulationError: As `load_body`.
    """
    if subject.height_m is None and subject.mass_kg is None:
        return subject.betas
    model = measured_model(subject.body)
    try:
        return betas_of_measures(model, subject.height_m, subject.mass_kg, subject.betas)
    except SimulationError as error:
        raise SimulationError(f"subject '{subject.name}': {error}") from None


def subject_measures(subject: Subject) -> Measures:
    """Return height and mass of a subject, those of the finest mesh of its body.

    Raises:
        SimulationError: As `load_body`.
    """
    return measures(measured_model(subject.body), subject_betas(subject))


def measured_model(body: str) -> BodyModel:
    """Return the model that heights and masses are measured on: `embedded`'s fine mesh, or a file.

    Raises:
        SimulationError: The file is missing or is not an SMPL body.
    """
    return embedded_model("fine") if body == "embedded" else smpl_model(Path(body))
