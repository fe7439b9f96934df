"""Subjects: who moves, their shapes, clothes and styles."""

from dataclasses import replace
from typing import Annotated

import numpy as np
from pydantic import AfterValidator, Field

from acoustic_sense.config import Config
from acoustic_sense.types import Subject
from acoustic_sense_simulator.body import subject_betas
from acoustic_sense_simulator.body.loading import measured_model
from acoustic_sense_simulator.body.metric_shape import is_in_population
from acoustic_sense_simulator.sampling.clothes import ClothesConfig
from acoustic_sense_simulator.sampling.names import Name
from acoustic_sense_simulator.sampling.ranges import Range, draw, within
from acoustic_sense_simulator.sampling.seeds import generator_for, seed_for

_TRIES = 200  # draws of a height and a mass that go together

Betas = Annotated[tuple[float, ...], Field(max_length=300)]


class PersonConfig(Config):
    """One subject given explicitly."""

    name: Name = Field(description="Identity of the subject in protocols.")
    betas: Betas = Field(default=(), description="Shape coefficients; empty for the mean shape.")
    height_m: float | None = Field(
        default=None, gt=0, le=3, description="Height; left out, that of the shape coefficients."
    )
    mass_kg: float | None = Field(
        default=None, gt=0, le=400, description="Mass; left out, that of the shape coefficients."
    )
    body: str = Field(
        default="", description="SMPL file of this subject; empty for `subjects.body`."
    )
    clothes: str = Field(
        default="", description="Name of an entry of `subjects.clothes`; empty to draw one."
    )
    style_seed: int | None = Field(
        default=None, description="Seed of the personal style of movement; drawn when left out."
    )


class SubjectsConfig(Config):
    """The subjects of a dataset."""

    count: int = Field(
        default=1, ge=1, le=100_000, description="Number of subjects to draw, named s01, s02, ..."
    )
    people: tuple[PersonConfig, ...] = Field(
        default=(), description="Subjects given explicitly; replaces `count` when not empty."
    )
    body: str = Field(
        default="embedded",
        description="`embedded` for the open body, or the path of your own SMPL file.",
    )
    betas_count: int = Field(default=10, ge=0, le=300, description="Shape coefficients to draw.")
    betas_sd: float = Field(
        default=1.0, ge=0, le=2, description="Standard deviation of the shape coefficients."
    )
    betas_limit: float = Field(
        default=2.0, gt=0, le=4, description="Largest absolute shape coefficient."
    )
    height_m: Annotated[Range, AfterValidator(within(0.5, 3))] | None = Field(
        default=None,
        description="Height of the subjects drawn; left out, that of the shape coefficients.",
    )
    mass_kg: Annotated[Range, AfterValidator(within(1, 400))] | None = Field(
        default=None,
        description="Mass of the subjects drawn; left out, that of the shape coefficients.",
    )
    clothes: tuple[ClothesConfig, ...] = Field(
        default=(ClothesConfig(name="mocap-suit"),),
        min_length=1,
        description="What subjects wear; one entry is drawn for each subject.",
    )


def draw_subjects(config: SubjectsConfig, seed: int) -> tuple[tuple[Subject, str], ...]:
    """Draw the subjects of a dataset, each from the seed of its name.

    Args:
        config: How to draw them.
        seed: Seed of the dataset.

    Returns:
        Each subject, still without a place in a room, and the name of its clothes.

    Raises:
        SimulationError: The population of the body has nobody of a height and mass asked for.
    """
    digits = max(2, len(str(config.count)))
    people = config.people or tuple(
        PersonConfig(name=f"s{index:0{digits}d}") for index in range(1, config.count + 1)
    )
    return tuple(_draw_subject(config, person, seed) for person in people)


def _draw_subject(config: SubjectsConfig, person: PersonConfig, seed: int) -> tuple[Subject, str]:
    generator = generator_for(seed, "subject", person.name)
    clothes = config.clothes[int(generator.integers(len(config.clothes)))]
    clothes = next((each for each in config.clothes if each.name == person.clothes), clothes)
    drawn = config.betas_sd * generator.standard_normal(config.betas_count)
    drawn = np.clip(drawn, -config.betas_limit, config.betas_limit)
    explicit = bool(config.people)
    style_seed = person.style_seed
    body = person.body or config.body
    height_m, mass_kg = person.height_m, person.mass_kg
    if not explicit:
        height_m, mass_kg = _draw_measures(config, body, generator)
    subject = Subject(
        name=person.name,
        betas=person.betas if explicit else tuple(round(float(beta), 3) for beta in drawn),
        height_m=height_m,
        mass_kg=mass_kg,
        body=body,
        clothes_absorption=clothes.surface_absorption(),
        style_seed=seed_for(seed, "style", person.name) if style_seed is None else style_seed,
    )
    if height_m is not None or mass_kg is not None:  # solved here, so that scenes show the betas
        betas = tuple(round(beta, 4) for beta in subject_betas(subject))
        subject = replace(subject, betas=betas)
    return subject, clothes.name


def _draw_measures(
    config: SubjectsConfig, body: str, generator: np.random.Generator
) -> tuple[float | None, float | None]:
    """Draw height and mass from their ranges until the population has such a person."""
    if config.height_m is None and config.mass_kg is None:
        return None, None
    model = measured_model(body)
    for _ in range(_TRIES):
        height_m = None if config.height_m is None else draw(generator, config.height_m)
        mass_kg = None if config.mass_kg is None else draw(generator, config.mass_kg, decimals=1)
        if is_in_population(model, height_m, mass_kg):
            break
    return height_m, mass_kg  # of the last try where none was possible, which is then reported
