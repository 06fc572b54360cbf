"""How a range is written in a configuration, and how one that cannot be is refused."""

from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError, ValidationInfo, field_validator

Span = tuple[float, float]
"""Two numbers between which a value is drawn evenly; equal ones fix it."""

Count = tuple[int, int]
"""Two whole numbers between which one is drawn, both included."""

RANGE, WHOLE, NUMBER = "give two numbers, [low, high]", "give a whole number", "give a number"
WANTED = {
    **dict.fromkeys(("tuple_type", "too_short", "too_long"), RANGE),
    **dict.fromkeys(("int_type", "int_parsing", "int_from_float"), WHOLE),
    **dict.fromkeys(("float_type", "float_parsing"), NUMBER),
    **dict.fromkeys(("model_type", "model_attributes_type"), "give its settings, {name: value}"),
    "dict_type": "give weights, {name: weight}",
    "string_type": "give a text",
}
"""What to give in place of a value of the wrong kind, by pydantic's name of the mistake."""


def limited(unit: str, lowest: float, highest: float, meaning: str, default: Any = ...) -> Any:
    """A field whose numbers (one, or the two of a range) must lie within lowest to highest of the unit. One that came
    later has a default, under which scenes are as before."""
    extra: dict[str, Any] = {"unit": unit, "lowest": lowest, "highest": highest}
    return Field(default=default, description=meaning, json_schema_extra=extra)


def weights(meaning: str, names: tuple[str, ...]) -> Any:
    """A field {name: weight}: a name is drawn in proportion to its weight."""
    return Field(description=meaning, json_schema_extra={"unit": "weights", "names": list(names)})


class Ranges(BaseModel):
    """A group of ranges that is checked field by field; cannot be changed once made."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    @field_validator("*")
    @classmethod
    def _possible(cls, value: Any, info: ValidationInfo) -> Any:
        extra = cls.model_fields[info.field_name or ""].json_schema_extra
        if isinstance(extra, dict) and "lowest" in extra:
            _check_numbers(info.field_name or "", value, extra)
        elif isinstance(extra, dict) and "names" in extra:
            _check_weights(info.field_name or "", value, extra)
        return value


def _check_numbers(name: str, value: Any, extra: Mapping[str, Any]) -> None:
    numbers = value if isinstance(value, tuple) else (value,)
    unit = f" {extra['unit']}" if extra["unit"] else ""
    allowed = f"{extra['lowest']:g} to {extra['highest']:g}{unit}"
    if any(not extra["lowest"] <= number <= extra["highest"] for number in numbers):  # NaN too
        raise ValueError(f"{name} is {_text(value)}, outside {allowed}")
    if len(numbers) == 2 and numbers[0] > numbers[1]:
        raise ValueError(
            f"{name} is {_text(value)}: its low end lies above its high end; allowed are {allowed}"
        )


def _check_weights(name: str, value: Mapping[str, float], extra: Mapping[str, Any]) -> None:
    known = ", ".join(extra["names"])
    for key, weight in value.items():
        if key not in extra["names"]:
            raise ValueError(f"{name} has {key!r}, which is not one of: {known}")
        if not 0 <= weight < float("inf"):
            raise ValueError(f"{name} gives {key!r} the weight {weight:g}, outside 0 to any finite number")
    if not sum(value.values()) > 0:
        raise ValueError(f"{name} is {dict(value)}: at least one weight must be above 0; names are {known}")


def _text(value: Any) -> str:
    if isinstance(value, tuple):
        return "[" + ", ".join(f"{number:g}" for number in value) + "]"
    return f"{value:g}"


def refusal(error: ValidationError, where: str) -> ValueError:
    """What is wrong with a configuration, told in one sentence per field; `where` names the preset or file."""
    sentences = []
    for problem in error.errors():
        path = ".".join(str(part) for part in problem["loc"])
        if problem["type"] == "extra_forbidden":
            sentences.append(f"{path} is not a setting; see docs/randomization.md for those that there are")
        elif problem["type"] == "missing":
            sentences.append(f"{path} is missing")
        elif problem["type"] == "value_error":
            reason = str(problem["ctx"]["error"])
            above = problem["loc"][:-1] if reason.startswith(str(problem["loc"][-1])) else problem["loc"]
            sentences.append(".".join([*(str(part) for part in above), reason]))
        else:
            wanted = WANTED.get(problem["type"], problem["msg"].lower())
            sentences.append(f"{path} is {problem['input']!r}: {wanted}")
    return ValueError(f"{where}: {'; '.join(sentences)}.")
