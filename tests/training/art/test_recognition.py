"""Photographs of marks are given the drawing that they are of, however they lie."""

import numpy as np
import pytest
from fixtures_art import IMAGENET

from training.art.backbone import digest, open_backbone, to_onnx
from training.art.features import Features
from training.art.network import Network
from training.art.pictures import Picture
from training.art.recognition.accuracy import accuracy
from training.art.recognition.lines import lines_of
from training.art.recognition.marks import MarkExtractor, Query
from training.art.recognition.orientations import ORIENTATIONS, oriented
from training.art.recognition.photographs import Wear, photograph
from training.art.recognition.recognizer import RecognitionConfig, ranked_classes
from training.art.recognition.symbols import BODIES, drawing, symbol

CHANNELS = 32


def field(seed, rows=22, columns=18):
    """A grid of unit vectors, each cell a little like its neighbours."""
    values = np.random.default_rng(seed).normal(size=(rows + 1, columns + 1, CHANNELS))
    values = values[1:, 1:] + 0.5 * (values[:-1, 1:] + values[1:, :-1])
    return (values / np.linalg.norm(values, axis=2, keepdims=True)).astype(np.float16)


def reference(seed):
    return Features((360, 440), (field(seed), field(seed + 100, 16, 13)))


def query(grid, noise=0.0, seed=7):
    """As the extractor would have it, were features the same in all orientations."""
    values = grid + noise * np.random.default_rng(seed).normal(size=grid.shape) / CHANNELS**0.5
    unit = (values / np.linalg.norm(values, axis=2, keepdims=True)).astype(np.float16)
    return Query(tuple(np.ascontiguousarray(oriented(unit, one)) for one in ORIENTATIONS), (360, 440))


@pytest.fixture(scope="module")
def references():
    return [reference(seed) for seed in range(6)]


@pytest.mark.parametrize("orientation", ORIENTATIONS, ids=str)
def test_a_query_is_found_in_every_orientation_which_is_told(references, orientation):
    lying = np.ascontiguousarray(oriented(references[2].grids[0], orientation))
    best = ranked_classes(query(lying, 0.8), references.__getitem__, list("abcdef"))[0]
    assert (best.label, best.reference) == ("c", 2) and 0.4 < best.score <= 1.01
    assert best.orientation == orientation.back
    back = oriented(oriented(references[2].grids[0], orientation), best.orientation)
    np.testing.assert_array_equal(back, references[2].grids[0])


def test_a_query_of_another_scale_is_found(references):
    found = ranked_classes(query(references[4].grids[1], 0.8), references.__getitem__, list("abcdef"))
    assert found[0].label == "e"


def test_a_query_that_is_shifted_is_found_within_the_reach_alone(references):
    moved = field(77)
    moved[6:, 5:] = references[1].grids[0][:-6, :-5]
    near, far = (
        ranked_classes(query(moved), references.__getitem__, list("abcdef"), RecognitionConfig(reach=reach))
        for reach in (8, 2)
    )
    assert near[0].label == "b" and near[0].score > 2 * far[0].score


def test_each_class_stands_once_by_its_best_reference(references):
    found = ranked_classes(query(references[5].grids[0], 0.5), references.__getitem__, list("aabbcc"))
    assert found[0].label == "c" and sorted(one.label for one in found) == ["a", "b", "c"]
    scores = [one.score for one in found]
    assert found[0].reference == 5 and scores == sorted(scores, reverse=True)


def test_of_many_references_the_likely_ones_are_compared_at_all_scales(references):
    asked = query(references[3].grids[0], 0.5)
    for likely in (1, 3):
        found = ranked_classes(asked, references.__getitem__, list("abcdef"), RecognitionConfig(likely=likely))
        assert found[0].label == "d" and len(found) == 6


def test_drawings_and_photographs_are_the_same_for_a_seed_and_differ_by_number():
    marks = [symbol(3, number) for number in range(12)]
    for number in (0, 5):
        np.testing.assert_array_equal(drawing(symbol(3, number)), drawing(marks[number]))
        for one, other in zip(photograph(marks[number], 4, number), photograph(marks[number], 4, number), strict=True):
            np.testing.assert_array_equal(one, other)
    pictures = [drawing(mark) for mark in marks]
    assert len({one.tobytes() for one in pictures}) == 12
    assert all(10 < (255 - one).astype(int).sum() / 255 < 0.2 * one.size for one in pictures)
    assert {symbol(0, number).body for number in range(150)} == set(BODIES)


def test_lines_are_as_strong_in_shade_and_what_is_even_stays_even():
    even = np.full((300, 200, 3), 180, np.uint8)
    assert np.ptp(lines_of(even)) == 0 and lines_of(even).shape == even.shape
    lined = np.repeat(drawing(symbol(1, 1))[..., None], 3, axis=2)
    shade = np.linspace(0.3, 1.0, 320)[None, :, None]
    bright, dark = lines_of(lined).astype(float), lines_of((lined * shade).astype(np.uint8)).astype(float)
    assert np.corrcoef(bright.ravel(), dark.ravel())[0, 1] > 0.9
    assert max(lines_of(np.zeros((3000, 1000, 3), np.uint8)).shape) == 512


def test_accuracy_is_told_of_all_and_of_each_class():
    ranked = [["a", "b"], ["b", "a"], ["b", "c", "d", "e", "a", "f"], ["x", "y"]]
    found = accuracy(["a", "a", "a", "b"], ranked)
    assert (found.top_1, found.top_5) == (0.25, 0.75)
    assert found.per_class == {"a": (3, pytest.approx(1 / 3), 1.0), "b": (1, 0.0, 0.0)}


@pytest.fixture(scope="module")
def imagenet():
    if not IMAGENET.is_file():
        pytest.skip(f"{IMAGENET.name} is not on this machine")
    backbone = open_backbone(IMAGENET, standardise=True)
    return MarkExtractor(Network(to_onnx(backbone), "onnxruntime-cpu"), digest(backbone), backbone.stride)


def test_photographs_of_marks_in_paper_are_given_their_drawings(imagenet):
    def picture(rgb):
        return Picture((rgb.shape[1], rgb.shape[0]), rgb)

    marks = [symbol(5, number) for number in range(6)]
    drawings = [imagenet.features(picture(np.repeat(drawing(one)[..., None], 3, axis=2))) for one in marks]
    labels = list("abcdef")
    wear = Wear(contrast=(0.09, 0.16))  # the faintest are for the benchmark
    ranked = []
    for number in range(3):
        seen, _ = photograph(marks[number], 6, number, wear)
        ranked.append(ranked_classes(imagenet.query(picture(seen)), drawings.__getitem__, labels))
    found = accuracy(labels[:3], [[one.label for one in each] for each in ranked])
    assert found.top_1 > 0.6 and found.top_5 == 1
