"""Bad configurations are refused with one sentence."""

from typing import Literal

import pytest
from pydantic import BaseModel, ConfigDict, Field

from perception.configuration import read_configuration
from perception.errors import BlockworldError


class Training(BaseModel):
    model_config = ConfigDict(extra="forbid")

    task: Literal["coarse", "fine"]
    data: str
    samples: int = Field(default=10, gt=0)
    widths: tuple[int, ...] = (1, 2)
    learning_rate: float = 0.1


GOOD = "task: fine\ndata: a\n"


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "fine.yaml"
    path.write_text(GOOD)
    return path


def test_overrides_are_read_as_yaml(file):
    config = read_configuration(Training, file, ["samples=12", "widths=[8, 16]", "learning_rate=1e-2"])
    assert (config.samples, config.widths, config.learning_rate) == (12, (8, 16), 0.01)


@pytest.mark.parametrize(
    ("overrides", "named"),
    [
        (["samples=-1"], "samples"),
        (["samples=many"], "samples"),
        (["sample=3"], "sample"),
        (["samples"], "key=value"),
        (["task=grasp"], "task"),
        (["widths=[1"], "widths"),
        (["widths=" + "[" * 10_000], "widths"),
        (["samples=2024-99-99"], "samples"),
    ],
)
def test_a_wrong_override_is_named(file, overrides, named):
    with pytest.raises(BlockworldError, match=named) as error:
        read_configuration(Training, file, overrides)
    assert "\n" not in str(error.value)


def test_a_wrong_override_is_not_blamed_on_the_file(file):
    with pytest.raises(BlockworldError, match=r"samples in 'samples=many' is 'many'"):
        read_configuration(Training, file, ["samples=many"])


def test_a_file_that_is_no_text_is_named(tmp_path):
    (tmp_path / "wrong.yaml").write_bytes(b"task: \xff\xfe")
    with pytest.raises(BlockworldError, match=r"wrong\.yaml is no text in UTF-8"):
        read_configuration(Training, tmp_path / "wrong.yaml")


@pytest.mark.parametrize(
    "text",
    ["- a\n- b\n", "task: [", "task: fine\n", "[" * 10_000, "data: 2024-99-99", "data: &a [*a]", "data: " + "9" * 5000],
)
def test_a_wrong_file_is_named(tmp_path, text):
    path = tmp_path / "wrong.yaml"
    path.write_text(text)
    with pytest.raises(BlockworldError, match=r"wrong\.yaml"):
        read_configuration(Training, path)


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(BlockworldError, match="cannot read"):
        read_configuration(Training, tmp_path / "none.yaml")
