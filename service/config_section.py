"""What every section of the configuration is."""

from pydantic import BaseModel, ConfigDict


class Section(BaseModel):
    """A part of the configuration: an unknown key is an error, and nothing is changed after it was read."""

    model_config = ConfigDict(extra="forbid", frozen=True)
