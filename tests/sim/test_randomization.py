"""What may vary is told by typed ranges: presets are complete, and ranges that cannot be are refused by name."""

from pathlib import Path

import pytest
import yaml
from pydantic import ValidationError

from sim.randomization import PRESETS, RandomizationConfig, changed, preset, sample_scene
from sim.randomization.config import CameraRanges
from sim.randomization.presets import FOLDER
from sim.randomization.table import BEGIN, END, markdown

PAGE = Path(__file__).resolve().parents[2] / "docs" / "randomization.md"


def test_the_presets_are_there():
    assert PRESETS == ("adv", "field", "lab", "train")
    assert len({preset(name).model_dump_json() for name in PRESETS}) == len(PRESETS)


def test_a_configuration_survives_being_written_and_read():
    config = preset("train")
    assert (
        RandomizationConfig.model_validate(yaml.safe_load(yaml.safe_dump(config.model_dump(mode="json"))))
        == config
    )


def test_the_preset_that_others_build_on_is_complete():
    assert "base" not in yaml.safe_load((FOLDER / "train.yaml").read_text())
    assert all(
        yaml.safe_load((FOLDER / f"{name}.yaml").read_text())["base"] == "train"
        for name in set(PRESETS) - {"train"}
    )


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (
            {"camera": {"elevation_deg": [60, 18]}},
            r"mine: camera\.elevation_deg is \[60, 18\]: its low end lies above its high end; allowed are 2 to 85 deg",
        ),
        (
            {"camera": {"elevation_deg": [10, 95]}},
            r"camera\.elevation_deg is \[10, 95\], outside 2 to 85 deg",
        ),
        (
            {"camera": {"focal_widths": [0.0, 1.0]}},
            r"camera\.focal_widths is \[0, 1\], outside 0\.3 to 6 image widths",
        ),
        ({"lens": {"k1": [-0.1, float("nan")]}}, r"lens\.k1 is \[-0\.1, nan\], outside -0\.4 to 0\.4"),
        ({"robot": {"random_share": 1.5}}, r"robot\.random_share is 1\.5, outside 0 to 1"),
        ({"distractors": {"count": [0, 40]}}, r"distractors\.count is \[0, 40\], outside 0 to 24 objects"),
        (
            {"distractors": {"kinds": {"dragon": 1}}},
            r"distractors\.kinds has 'dragon', which is not one of: ball, book",
        ),
        (
            {"distractors": {"kinds": {"ball": -1}}},
            r"distractors\.kinds gives 'ball' the weight -1, outside 0 to",
        ),
        ({"terrain": {"kinds": {"dirt": 0}}}, r"terrain\.kinds is .*: at least one weight must be above 0"),
        ({"terrain": {"kinds": {}}}, r"terrain\.kinds is \{\}: at least one weight must be above 0"),
        (
            {"block": {"look": {"brightness": [0.9, 0.2]}}},
            r"block\.look\.brightness is \[0\.9, 0\.2\]: its low end",
        ),
        (
            {"block": {"width_m": [0.05, 0.1]}},
            r"block\.length_m is \[0\.06, 0\.12\], but a block 0\.1 m wide .*allowed from 0\.13 to 0\.5 m",
        ),
        ({"camera": {"zoom": 3}}, r"camera\.zoom is not a setting; see docs/randomization\.md"),
        ({"camera": {"elevation_deg": 30}}, r"camera\.elevation_deg is 30: give two numbers, \[low, high\]\."),
        ({"camera": {"elevation_deg": [1, 2, 3]}}, r"camera\.elevation_deg is .*: give two numbers"),
        ({"camera": 3}, r"camera is 3: give its settings, \{name: value\}"),
        ({"distractors": {"kinds": 1}}, r"distractors\.kinds is 1: give weights, \{name: weight\}"),
        ({"sensor": {"jpeg_quality": [20.5, 80]}}, r"sensor\.jpeg_quality\.0 is 20\.5: give a whole number"),
        ({"texture_seeds": 0}, r"texture_seeds is 0"),
        ({"first_seed": 13}, r"mine: first_seed is 13: give an even number"),
        ({"absent": {"block_share": 1.5}}, r"absent\.block_share is 1\.5, outside 0 to 1"),
    ],
)
def test_an_impossible_range_is_refused_by_field_value_and_range(changes, message):
    with pytest.raises(ValueError, match=message):
        changed(preset("train"), changes, where="mine")


def test_all_that_is_wrong_is_told_at_once():
    with pytest.raises(ValueError, match=r"roll_deg.*; .*random_share"):
        changed(preset("lab"), {"camera": {"roll_deg": [9, 1]}, "robot": {"random_share": -1}})


def test_a_group_refuses_alone_too():
    values = preset("train").camera.model_dump() | {"roll_deg": (3, -3)}
    with pytest.raises(ValidationError, match=r"roll_deg is \[3, -3\]"):
        CameraRanges.model_validate(values)
    with pytest.raises(ValidationError, match="frozen"):
        preset("train").camera.roll_deg = (0.0, 0.0)


def test_changes_merge_groups_and_replace_ranges_and_weights():
    config = changed(preset("train"), {"distractors": {"kinds": {"ball": 1}, "look": {"gray_share": 0.9}}})
    assert config.distractors.kinds == {"ball": 1}
    assert config.distractors.look.gray_share == 0.9
    assert config.distractors.look.families == preset("train").distractors.look.families
    assert config.camera == preset("train").camera


def test_a_file_may_build_on_a_preset_or_a_file(tmp_path):
    first, second = tmp_path / "first.yaml", tmp_path / "second.yaml"
    first.write_text("base: lab\ncamera: {roll_deg: [-1, 1]}\n")
    second.write_text(f"base: {first}\nterrain: {{share: 0.5}}\n")
    assert preset(str(second)).camera.roll_deg == (-1, 1)
    assert preset(str(second)).terrain.share == 0.5
    assert preset(str(second)).light == preset("lab").light


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("camera: {roll_deg: [-1, 1]}\n", r"own\.yaml: .*camera\.width_px is missing"),
        ("base: lab\ncamera: {roll_deg: [1, -1]}\n", r"own\.yaml: camera\.roll_deg is \[1, -1\]"),
        ("base: moon\n", "no preset or file 'moon'; presets are: adv, field, lab, train"),
        ("- 3\n", r"own\.yaml holds no groups of ranges"),
        ("base: OWN\n", r"own\.yaml is its own base"),
        ("a: b: c\n", r"own\.yaml is no YAML"),
        ("base: [lab]\n", r"base in .*own\.yaml is \['lab'\]: give the name of one preset or file"),
        ("base: 3\n", r"base in .*own\.yaml is 3"),
    ],
)
def test_a_file_that_cannot_be_used_is_told(tmp_path, text, message):
    path = tmp_path / "own.yaml"
    path.write_text(text.replace("OWN", str(path)))
    with pytest.raises(ValueError, match=message):
        preset(str(path))


def test_the_tables_of_the_page_are_current():
    """Renew them by `python -m sim.randomization.table docs/randomization.md`."""
    text = PAGE.read_text(encoding="utf-8")
    assert text.partition(BEGIN)[2].partition(END)[0] == markdown()


def test_every_range_says_what_it_means():
    assert "| None |" not in markdown()


def test_a_file_that_is_no_text_is_told(tmp_path):
    path = tmp_path / "own.yaml"
    path.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(ValueError, match=r"own\.yaml cannot be read: it is no text in UTF-8"):
        preset(str(path))


def test_a_scene_that_cannot_be_is_told_by_its_number():
    narrow = {"camera": {"least_margin_px": 230, "target_spread_m": 0.5}}
    with pytest.raises(ValueError, match=r"scene 3 of series 7 \(coarse\): none of \d+ cameras"):
        sample_scene("coarse", 7, 3, config=changed(preset("lab"), narrow))
