"""All ranges of all presets as tables in Markdown; `python -m sim.randomization.table PAGE` renews those of a page."""

import sys
from pathlib import Path
from typing import Any

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from sim.randomization.config import RandomizationConfig
from sim.randomization.presets import PRESETS, preset

BEGIN, END = "<!-- ranges: begin -->\n", "<!-- ranges: end -->\n"


def markdown() -> str:
    """One table per group of ranges."""
    configs = {name: preset(name) for name in PRESETS}
    groups, single = [], []
    for name, field in RandomizationConfig.model_fields.items():
        values = {key: getattr(config, name) for key, config in configs.items()}
        if isinstance(field.annotation, type) and issubclass(field.annotation, BaseModel):
            groups += _tables(name, field.annotation, values)
        else:
            single.append(_row(name, field, values))
    return "\n".join([*groups, "### Others\n", _head(), *single, ""])


def renew(page: Path) -> None:
    """Replace the tables of a page; raises ValueError where it has no marks for them."""
    text = page.read_text(encoding="utf-8")
    before, begin, rest = text.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        raise ValueError(
            f"{page} has no lines {BEGIN.strip()} and {END.strip()} for the tables to go between."
        )
    page.write_text(before + begin + markdown() + end + after, encoding="utf-8")


def _tables(title: str, model: type[BaseModel], values: dict[str, Any]) -> list[str]:
    """The table of a group, then those of the groups in it."""
    rows, deeper = [], []
    for name, field in model.model_fields.items():
        inner = {key: getattr(value, name) for key, value in values.items()}
        if isinstance(field.annotation, type) and issubclass(field.annotation, BaseModel):
            deeper += _tables(f"{title}.{name}", field.annotation, inner)
        else:
            rows.append(_row(name, field, inner))
    return [f"### {title}\n", (model.__doc__ or "").strip() + "\n", _head(), *rows, "", *deeper]


def _head() -> str:
    names = " | ".join(PRESETS)
    return f"| setting | meaning | allowed | {names} |\n|---|---|---|{'---|' * len(PRESETS)}"


def _row(name: str, field: FieldInfo, values: dict[str, Any]) -> str:
    extra = field.json_schema_extra if isinstance(field.json_schema_extra, dict) else {}
    allowed = (
        f"{extra['lowest']:g} to {extra['highest']:g} {extra['unit']}".strip() if "lowest" in extra else ""
    )
    cells = " | ".join(_text(values[key]) for key in PRESETS)
    return f"| `{name}` | {field.description} | {allowed} | {cells} |"


def _text(value: Any) -> str:
    if isinstance(value, tuple):
        low, high = (f"{number:g}" for number in value)
        return low if low == high else f"{low} to {high}"
    if isinstance(value, dict):
        return ", ".join(
            name if weight == 1 else f"{name} {weight:g}" for name, weight in value.items() if weight
        )
    return "none" if value is None else f"{value:g}"


if __name__ == "__main__":
    renew(Path(sys.argv[1]))
