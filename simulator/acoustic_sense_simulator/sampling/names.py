"""Names of subjects, tracks and rooms: they end up in take identities and folder names."""

from typing import Annotated

from pydantic import StringConstraints

Name = Annotated[
    str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9.-]*$", min_length=1, max_length=48)
]
"""Letters, digits, dots and dashes; the underscore separates names in take identities."""
