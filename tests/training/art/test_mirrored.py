"""A detail that is turned left to right in other pictures is found when it is looked for both ways."""

import numpy as np
import pytest
from fixtures_art_painted import SIZE, PixelExtractor, painted, ship_box
from PIL import ImageOps

from training.art.boxes import overlap
from training.art.exports import hits, search_table
from training.art.gallery import Gallery
from training.art.mirrored import Sides, mirrored_box, mirrored_picture, search_both
from training.art.pictures import Picture
from training.art.regions import Region
from training.art.search import SearchConfig

BOX = ship_box("harbour.png")
PLANTED = (240, 110, 1.7)
"""Where the ship is in the others, before they are turned left to right."""


def read(image):
    return Picture(SIZE, np.asarray(image.convert("RGB")))


@pytest.fixture(scope="module")
def pictures():
    """One with the ship; another one turned left to right, that has it; one that has it as it is; two without."""
    made = [painted(0, (40, 130, 1.5)), ImageOps.mirror(painted(1, PLANTED)), painted(2, (150, 150, 1.35))]
    return [read(one) for one in (*made, painted(3), painted(4))]


@pytest.fixture(scope="module")
def place(pictures):
    """A collection of them, and the first as it is and mirrored."""
    extractor = PixelExtractor()
    features = {str(number): extractor.features(one) for number, one in enumerate(pictures)}
    gallery = Gallery(features)
    for key in features:
        gallery.add(key)
    return gallery, Sides(features["0"], extractor.features(mirrored_picture(pictures[0])))


def there():
    x, y, scale = PLANTED
    return mirrored_box((x, y, 120 * scale, 130 * scale), SIZE)


def test_the_mirrored_copy_is_found_beside_the_one_that_is_not(place):
    gallery, sides = place
    alone = gallery.search(Region.of(sides.features, BOX), "0")
    as_it_is = max((one.score for one in alone if one.picture == 1 and overlap(one.box, there()) > 0.3), default=0.0)
    found = search_both(gallery, sides, BOX, "0")
    first = {one.picture: one for one in reversed(found)}
    assert {one.picture for one in found[:2]} == {1, 2} and found[0].discovery and found[1].discovery
    assert first[1].mirrored and overlap(first[1].box, there()) > 0.5
    assert first[1].score > as_it_is + 0.1
    assert not first[2].mirrored


def test_what_agrees_is_told_of_the_picture_as_it_is(place):
    one = next(one for one in search_both(*place, BOX, "0") if one.picture == 1 and one.mirrored)
    x, y, w, h = BOX
    points = one.discovery.source * SIZE
    assert (points >= (x - 16, y - 16)).all() and (points <= (x + w + 16, y + h + 16)).all()
    mapped = one.discovery.source @ one.discovery.affine[:, :2].T + one.discovery.affine[:, 2]
    cells = max(Region.of(place[1].features, BOX).whole) * np.asarray(SIZE) / max(SIZE)
    away = np.linalg.norm((mapped - one.discovery.target) * cells, axis=1)
    assert away.max() <= SearchConfig().discovery.tolerance and np.median(away) < 1
    assert np.linalg.det(one.discovery.affine[:, :2]) < 0
    assert overlap(one.discovery.source_box, BOX) > 0.5
    table = search_table(hits([one], [f"{number}.png" for number in range(5)]))
    assert table.splitlines()[0].endswith("verified,mirrored") and table.splitlines()[1].endswith("yes,yes")


def test_what_was_asked_for_is_not_found_in_itself_and_no_place_twice(place):
    found = search_both(*place, BOX, "0")
    assert not any(one.picture == 0 and overlap(one.box, BOX) > 0.3 for one in found)
    for number, one in enumerate(found):
        for other in found[:number]:
            assert one.picture != other.picture or one.mirrored == other.mirrored or overlap(one.box, other.box) <= 0.1


def test_a_box_mirrored_twice_is_where_it_was(pictures):
    assert mirrored_box(mirrored_box(BOX, SIZE), SIZE) == BOX
    np.testing.assert_array_equal(mirrored_picture(mirrored_picture(pictures[0])).rgb, pictures[0].rgb)
