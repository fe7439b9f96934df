"""Subjects: who moves, their shapes, clothes and styles."""

from typing import Annotated

import numpy as np
from pydantic import Field

from acoustic_sense.config import Config
from acoustic_sense.types import Subject
from acoustic_sense_simulator.sampling.clothes import ClothesConfig
from acoustic_sense_simulator.sampling.names import Name
from acoustic_sense_simulator.sampling.seeds import generator_for, seed_for

Betas = Annotated[tuple[float, ...], Field(max_length=300)]


class PersonConfig(Config):
    """One subject given explicitly."""

    name: Name = Field(description="Identity of the subject in protocols.")
    betas: Betas = Field(default=(), description="Shape coefficients; empty for the mean shape.")
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
    subject = Subject(
        name=person.name,
        betas=person.betas if explicit else tuple(round(float(beta), 3) for beta in drawn),
        body=person.body or config.body,
        clothes_absorption=clothes.surface_absorption(),
        style_seed=seed_for(seed, "style", person.name) if style_seed is None else style_seed,
    )
    return subject, clothes.name
