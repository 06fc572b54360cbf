"""Textures are functions of their names, repeat without a seam, and a folder without pictures is told."""

import time

import cv2
import numpy as np
import pytest

from sim.scene import Texture
from sim.textures import FAMILIES, PICTURE, pictures, pixels


@pytest.mark.parametrize("family", FAMILIES)
def test_a_texture_is_a_function_of_family_and_seed(family):
    first = pixels.__wrapped__(Texture(family, 6), 64)
    assert (first.shape, first.dtype) == ((64, 64, 3), np.uint8)
    assert np.array_equal(first, pixels.__wrapped__(Texture(family, 6), 64))
    others = [pixels(Texture(family, seed), 64) for seed in range(7, 12)]
    assert all(not np.array_equal(first, other) for other in others)


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("size", [32, 100])
def test_every_family_has_every_size(family, size):
    assert pixels(Texture(family, 3), size).shape == (size, size, 3)


@pytest.mark.parametrize("family", FAMILIES)
def test_textures_show_something(family):
    spread = [pixels(Texture(family, seed), 64).std(axis=(0, 1)).max() for seed in range(12)]
    assert np.median(spread) > 4


@pytest.mark.parametrize("family", ["noise", "marble", "cells", "gravel", "checker", "wood", "waves", "dirt"])
def test_textures_repeat_without_a_seam(family):
    """The step across the edge is no larger than the largest steps inside."""
    for seed in range(4):
        image = pixels(Texture(family, seed), 128).astype(float)
        for turned in (image, image.transpose(1, 0, 2)):
            inside = np.abs(np.diff(turned, axis=0)).mean(axis=(1, 2))
            across = np.abs(turned[0] - turned[-1]).mean()
            assert across <= 1.5 * inside.max() + 2


def test_natural_colours_are_those_of_the_real_thing():
    grass = np.mean([pixels(Texture("grass", seed), 64).mean(axis=(0, 1)) for seed in range(0, 8, 2)], axis=0)
    assert grass[1] > grass[0] > grass[2]


def test_textures_are_made_once_and_cannot_be_changed():
    image = pixels(Texture("noise", 1), 64)
    assert pixels(Texture("noise", 1), 64) is image
    with pytest.raises(ValueError, match="read-only"):
        image[0] = 0


def test_textures_are_made_fast_enough_to_be_made_on_the_way():
    begin = time.process_time()
    for family in FAMILIES:
        pixels.__wrapped__(Texture(family, 1), 128)
    assert (time.process_time() - begin) / len(FAMILIES) < 0.02  # 3 ms on a free core


def test_an_unknown_family_is_told():
    with pytest.raises(
        ValueError, match=r"no texture family 'tartan'; choose one of: bricks, .*wood, picture"
    ):
        pixels(Texture("tartan"), 64)


def test_the_middle_of_a_picture_is_taken(tmp_path):
    image = np.zeros((40, 80, 3), np.uint8)
    image[:, 20:60] = (0, 0, 255)  # BGR: red
    cv2.imwrite(str(tmp_path / "red.png"), image)
    shown = pixels(Texture(PICTURE, path=str(tmp_path / "red.png")), 32)
    assert np.array_equal(shown, np.broadcast_to(np.array([255, 0, 0], np.uint8), (32, 32, 3)))


def test_pictures_are_found_sorted_in_all_folders(tmp_path):
    (tmp_path / "b").mkdir()
    for name in ("z.png", "b/a.JPG", "notes.txt"):
        (tmp_path / name).touch()
    assert pictures(str(tmp_path)) == (str(tmp_path / "b" / "a.JPG"), str(tmp_path / "z.png"))


def test_a_folder_without_pictures_is_told(tmp_path):
    (tmp_path / "notes.txt").touch()
    with pytest.raises(ValueError, match=rf"{tmp_path} holds no pictures: give a folder with .*\.png"):
        pictures(str(tmp_path))
    with pytest.raises(ValueError, match="nowhere does not exist"):
        pictures(str(tmp_path / "nowhere"))


def test_a_file_that_is_no_picture_is_told(tmp_path):
    (tmp_path / "broken.png").write_bytes(b"no picture")
    with pytest.raises(ValueError, match=r"broken\.png cannot be read: remove it"):
        pixels(Texture(PICTURE, path=str(tmp_path / "broken.png")), 32)
