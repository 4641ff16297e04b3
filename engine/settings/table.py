"""What every table of the configuration is, and the kinds of its values."""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, StringConstraints
from pydantic_core import PydanticCustomError


def _no_flag(value: Any) -> Any:  # noqa: ANN401
    """Refuse true and false where a number is wanted: Python would count them as 1 and 0."""
    if isinstance(value, bool):
        raise PydanticCustomError("not_a_number", "Input should be a number, not true or false")
    return value


Number = BeforeValidator(_no_flag)
Fraction = Annotated[Decimal, Field(gt=0, lt=1, max_digits=12)]
Positive = Annotated[Decimal, Field(gt=0, le=Decimal("1e15"), max_digits=20)]
"""Bounds keep products and sums exact within the domain's 60 digits."""
Count = Annotated[int, Number, Field(ge=0)]
AtLeastOne = Annotated[int, Number, Field(gt=0)]
ClockTime = Annotated[str, StringConstraints(pattern=r"^([01]\d|2[0-3]):[0-5]\d$")]


class Table(BaseModel):
    """A table of the configuration: closed, immutable, and silent about rejected input."""

    model_config = ConfigDict(
        extra="forbid", frozen=True, hide_input_in_errors=True, allow_inf_nan=False
    )


class Interval(Table):
    interval: Annotated[float, Field(gt=0)] = 30
