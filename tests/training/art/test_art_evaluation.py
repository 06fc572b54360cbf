"""The protocols give full marks where copies are plain, and name pictures that are missing."""

import pytest
from fixtures_art_features import box_of, detail, picture, placed

from perception.errors import InputError
from training.art.annotations import DetectionQuery, Recognition, Region, RetrievalQuery
from training.art.evaluation import evaluate_detection, evaluate_recognition, evaluate_retrieval

SIZE = (800, 450)
PLACES = {"a": placed((0.3, 0.45), (0.3, 0.55)), "b": placed((0.65, 0.5), (0.3, 0.55))}
BOXES = {name: box_of(place, SIZE) for name, place in PLACES.items()}


@pytest.fixture(scope="module")
def features():
    """a1.jpg and b1.jpg share one detail, a2.jpg and b2.jpg another."""
    return {
        f"{name}{number}.jpg": picture(10 * number + ord(name), ((detail(number), place),), scales=(60, 49, 36, 20))
        for number in (1, 2)
        for name, place in PLACES.items()
    }


@pytest.mark.parametrize("verify", [False, True])
def test_detection(features, verify):
    queries = [
        DetectionQuery(str(k), Region(f"a{k}.jpg", BOXES["a"]), (Region(f"b{k}.jpg", BOXES["b"]),)) for k in (1, 2)
    ]
    assert evaluate_detection(queries, features, verify=verify).mean == 1
    with pytest.raises(InputError, match=r"c\.jpg, which is not among the pictures"):
        evaluate_detection([DetectionQuery("c", Region("c.jpg", BOXES["a"]), ())], features)


def test_recognition(features):
    labels = {name: name[1] for name in features}
    assert evaluate_recognition(Recognition(("a1.jpg", "a2.jpg"), ("b1.jpg", "b2.jpg"), labels), features) == 1


@pytest.mark.parametrize("ending", [".jpg", ""])
@pytest.mark.parametrize("box", [None, BOXES["a"]])
def test_retrieval(features, ending, box):
    wanted = frozenset({f"b1{ending}"})
    query = RetrievalQuery("1", f"a1{ending}", box, wanted, frozenset({f"a1{ending}"}))
    assert evaluate_retrieval([query], features) == 1
