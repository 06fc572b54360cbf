"""The planted-copy benchmark: boxes are exact, media differ, and everything comes from the seed alone."""

import json
from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image

from perception.errors import BlockworldError, ImageError, InputError
from training.art.annotations import read_detections
from training.art.boxes import overlap
from training.art.planted.collection import PlantedConfig, dealt, instances, make_benchmark, pictures_in
from training.art.planted.copies import CopyRanges, detail_of, planted
from training.art.planted.damage import damaged, framed
from training.art.planted.media import MEDIA

GENTLE = PlantedConfig(seed=3, group=3, unchanged=1.0, damage=0.0, frames=0.0, ranges=CopyRanges(colours=(0.0, 0.0)))


def _painting(seed, size=(320, 240)):
    """Blots of colours, larger and smaller."""
    random = np.random.default_rng(seed)
    layers = [cv2.GaussianBlur(random.normal(size=(size[1], size[0], 3)), (0, 0), width) for width in (3, 9, 30)]
    whole = sum(layer / layer.std() for layer in layers)
    return np.clip(128 + 40 * whole, 0, 255).astype(np.uint8)


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    """Seven pictures of two shapes."""
    path = tmp_path_factory.mktemp("paintings")
    for number in range(7):
        size = (320, 240) if number % 2 else (240, 330)
        Image.fromarray(_painting(number, size)).save(path / f"p{number}.png")
    return path


def test_a_copy_is_where_its_map_and_its_box_say():
    source, host = _painting(1), _painting(2)
    random = np.random.default_rng(0)
    ranges = CopyRanges(colours=(0.0, 0.0))
    detail = detail_of(source, ranges, random)
    placed = planted(source, detail, host, ranges, random)
    middle = np.array([detail[0] + detail[2] / 2, detail[1] + detail[3] / 2])
    there = np.rint(placed.affine @ [*middle, 1]).astype(int)
    np.testing.assert_allclose(
        placed.picture[there[1], there[0]].astype(int), source[int(middle[1]), int(middle[0])].astype(int), atol=25
    )
    changed = np.abs(placed.picture.astype(int) - host).max(axis=2) > 6
    rows, columns = np.nonzero(changed)
    covered = (columns.min(), rows.min(), np.ptp(columns) + 1, np.ptp(rows) + 1)
    assert overlap(tuple(float(one) for one in covered), placed.box) > 0.85
    x, y, w, h = placed.box
    outside = changed.copy()
    outside[int(y) : int(np.ceil(y + h)) + 1, int(x) : int(np.ceil(x + w)) + 1] = False
    assert not outside.any()


def test_copies_stay_away_from_boxes_that_are_taken():
    source, host = _painting(1), _painting(2)
    ranges, random = CopyRanges(), np.random.default_rng(0)
    detail = detail_of(source, ranges, random)
    taken = ((0.0, 0.0, 320.0, 100.0),)
    for _ in range(5):
        placed = planted(source, detail, host, ranges, random, taken)
        assert placed is None or placed.box[1] >= 100
    assert planted(source, detail, host, ranges, random, ((0.0, 0.0, 320.0, 240.0),)) is None


@pytest.mark.parametrize("name", MEDIA)
def test_a_medium_keeps_the_picture_but_not_its_colours(name):
    picture = _painting(1)
    changed = MEDIA[name](picture, np.random.default_rng(0))
    assert changed.shape == picture.shape
    assert changed.dtype == np.uint8
    assert np.abs(changed.astype(int) - picture).mean() > 8
    grey = [cv2.GaussianBlur(one, (0, 0), 6)[..., 1].ravel().astype(float) for one in (picture, changed)]
    assert np.corrcoef(*grey)[0, 1] > 0.35
    np.testing.assert_array_equal(changed, MEDIA[name](picture, np.random.default_rng(0)))


def test_no_two_media_are_alike():
    made = [medium(_painting(1), np.random.default_rng(0)).astype(int) for medium in MEDIA.values()]
    for number, one in enumerate(made):
        assert all(np.abs(one - other).mean() > 8 for other in made[number + 1 :])


@pytest.mark.parametrize("shape", [(8, 8, 3), (3, 200, 3)])
@pytest.mark.parametrize("name", MEDIA)
def test_tiny_and_plain_pictures_are_no_error(name, shape):
    plain = np.full(shape, 200, np.uint8)
    assert MEDIA[name](plain, np.random.default_rng(0)).shape == shape


def test_damage_changes_a_part_and_no_amount_nothing():
    picture = _painting(1)
    np.testing.assert_array_equal(damaged(picture, 0.0, np.random.default_rng(0)), picture)
    worn = damaged(picture, 1.0, np.random.default_rng(0))
    share = (np.abs(worn.astype(int) - picture).max(axis=2) > 10).mean()
    assert 0.02 < share < 0.7


def test_a_frame_goes_around_the_picture():
    picture = _painting(1)
    frame, border = framed(picture, 0.1, np.random.default_rng(0))
    assert border == 24
    assert frame.shape == (240 + 48, 320 + 48, 3)
    inside = frame[border + 12 : -border, border + 12 : -border]
    np.testing.assert_array_equal(inside, picture[12:, 12:])


def test_every_picture_is_dealt_once():
    groups = dealt(17, GENTLE)
    assert sorted(number for group in groups for number in group) == list(range(17))
    assert all(len(group) >= 3 for group in groups)
    assert dealt(17, GENTLE) == groups != dealt(17, PlantedConfig(seed=4, group=3))


def test_a_group_is_made_of_the_seed_and_its_number_alone(folder):
    files = pictures_in(folder)
    alone = list(instances(files, 1, GENTLE))
    after = [list(instances(files, group, GENTLE)) for group in (0, 1)][1]
    assert [one.name for one in alone] == [one.name for one in after]
    for one, other in zip(alone, after, strict=True):
        np.testing.assert_array_equal(one.picture, other.picture)
        assert one.box == other.box


def test_the_benchmark_is_read_by_the_loader_of_brueghel(folder, tmp_path):
    config = PlantedConfig(seed=3, group=3)
    path = make_benchmark(folder, tmp_path / "made", config)
    queries = read_detections(path)
    assert {one.category for one in queries} == {"0", "1"}
    assert len(queries) == 7
    truth = json.loads((path.parent / "truth.json").read_text())
    for one in queries:
        assert len(one.wanted) in (2, 3)
        with Image.open(path.parent / one.query.picture) as picture:
            width, height = picture.size
        x, y, w, h = one.query.box
        assert x >= 0 and y >= 0 and x + w <= width and y + h <= height
        assert truth[one.query.picture]["medium"] in {"none", *MEDIA}
    again = make_benchmark(folder, tmp_path / "again", config)
    for file in path.parent.iterdir():
        assert file.read_bytes() == (again.parent / file.name).read_bytes()


def test_pictures_of_the_same_name_in_two_folders_do_not_meet(tmp_path):
    for name in ("one", "two"):
        (tmp_path / "in" / name).mkdir(parents=True)
        Image.fromarray(_painting(len(name))).save(tmp_path / "in" / name / "scan.png")
    made = make_benchmark(tmp_path / "in", tmp_path / "out", PlantedConfig(group=2)).parent
    assert sorted(one.name for one in made.glob("*.jpg")) == ["00000-scan.jpg", "00001-scan.jpg"]


def test_what_cannot_be_made_a_benchmark_is_told(tmp_path):
    with pytest.raises(InputError, match="no pictures"):
        make_benchmark(tmp_path, tmp_path / "out")
    with pytest.raises(BlockworldError, match="cannot be read"):
        pictures_in(tmp_path / "missing")
    Image.fromarray(_painting(1)).save(tmp_path / "one.png")
    with pytest.raises(InputError, match="one picture only"):
        make_benchmark(tmp_path, tmp_path / "out")
    (tmp_path / "two.png").write_bytes(b"no picture")
    with pytest.raises(ImageError, match=r"two\.png"):
        make_benchmark(tmp_path, tmp_path / "out")
    with pytest.raises(InputError, match="crayon cannot"):
        PlantedConfig(media=("crayon",))
    with pytest.raises(InputError, match="2 pictures or more"):
        PlantedConfig(group=1)
