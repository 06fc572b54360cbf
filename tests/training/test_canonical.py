"""Pictures of the block: training cuts them as the runtime does."""

import numpy as np
import pytest
import torch

from perception import crop
from sim.dataset import DatasetConfig, Studio
from sim.dataset.labels import channel_pixels, view_of
from sim.keypoints import CORNER_CHANNELS
from training.localization import canonical as module
from training.localization.canonical import HEIGHT, WIDTH, canonical


@pytest.fixture(scope="module")
def studio():
    return Studio(
        DatasetConfig(task="block", renderer="tiny", preset="lab", seed=5, scenes=4, views=2, width=96, height=96)
    )


@pytest.fixture(scope="module")
def pictures(studio):
    return [picture for index in range(4) for picture in studio.photograph(studio.scene(index))]


@pytest.fixture
def undisturbed(monkeypatch):
    monkeypatch.setattr(module, "ROUGH_SHARE", 0.0)
    monkeypatch.setattr(module, "GOOD", (0.0, 0.0))
    monkeypatch.setattr(module, "SCALE", 0.0)


def stored(pictures, studio):
    robot = studio.description.robot
    points = np.array([channel_pixels(picture.record, CORNER_CHANNELS, robot) for picture in pictures])
    images = np.array([picture.frame.rgb for picture in pictures])
    return torch.from_numpy(images).permute(0, 3, 1, 2).float(), torch.from_numpy(points.astype(np.float32))


def test_a_crop_of_training_is_that_of_the_runtime(pictures, studio, undisturbed):
    crops, points = canonical(*stored(pictures, studio), torch.Generator().manual_seed(0))
    assert crops.shape == (len(pictures), 3, HEIGHT, WIDTH)
    for picture, own in zip(pictures, points.numpy(), strict=True):
        camera, block = view_of(picture.record).camera, picture.record["block"]
        pose = np.array(block["T_base_block"]) @ np.diag([*block["size_m"], 1.0])
        middle, left, right = (
            pose[:3, :3] @ place + pose[:3, 3] for place in ((0, 0, 0.5), (-0.5, 0, 0.5), (0.5, 0, 0.5))
        )
        if camera.project(left)[0][0] > camera.project(right)[0][0]:
            left, right = right, left
        window = crop.block_window(camera, middle, left, right, (WIDTH, HEIGHT), crop.BLOCK_SIDE_M)
        corners = np.array([pose[:3, :3] @ channel.places[0][1] + pose[:3, 3] for channel in CORNER_CHANNELS])
        seen = (camera.project(corners)[0] - window.origin) @ np.linalg.inv(window.linear).T
        order = np.linalg.norm(own[:, 0, None] - seen[None], axis=-1).min(axis=1)
        assert order.max() < 1.5  # px of the crop: the ends' middles are not exactly where corners' means are


def test_left_is_left_whatever_the_turn(pictures, studio):
    for seed in range(5):
        _, points = canonical(*stored(pictures, studio), torch.Generator().manual_seed(seed))
        corners = points[:, 2:, 0].reshape(-1, 2, 2, 2, 2)
        assert (corners[:, :, 1, :, 0].mean((1, 2)) > corners[:, :, 0, :, 0].mean((1, 2))).all()


def test_points_move_with_the_pixels():
    y, x = torch.meshgrid(torch.arange(96) + 0.5, torch.arange(96) + 0.5, indexing="ij")
    points = torch.rand(6, 10, 1, 2, generator=torch.Generator().manual_seed(1)) * 20 + 38
    spots = torch.exp(-((torch.stack([x, y], -1) - points[:, 0, :, None, :]) ** 2).sum(-1) / 8)
    crops, moved = canonical(spots[:, None].repeat(1, 3, 1, 1), points, torch.Generator().manual_seed(2))
    for picture, place in zip(crops.mean(1), moved[:, 0, 0], strict=True):
        row, column = divmod(int(picture.argmax()), WIDTH)
        assert (torch.tensor([column + 0.5, row + 0.5]) - place).abs().max() < 1.0


def test_pictures_without_a_block_are_turned_any_way_and_have_no_points():
    ramp = torch.linspace(0, 1, 96)[None, None, None, :].repeat(400, 3, 96, 1)
    points = torch.full((400, 10, 2, 2), torch.nan)
    crops, moved = canonical(ramp, points, torch.Generator().manual_seed(3))
    assert torch.isnan(moved).all()
    right = crops[:, 0, :, -1].mean(-1) > crops[:, 0, :, 0].mean(-1)
    down = crops[:, 0, -1].mean(-1) > crops[:, 0, 0].mean(-1)
    for way in (right, down):
        assert 0.4 < way.float().mean() < 0.6


def test_some_pictures_are_cut_where_only_a_part_of_the_block_is():
    points = torch.tensor([48.0, 48.0]).repeat(2000, 10, 2, 1)
    points[:, 2:] += torch.tensor([[-9, -4], [-9, 4], [9, -4], [9, 4]]).repeat(2, 1)[None, :, None]
    _, moved = canonical(torch.zeros(2000, 3, 96, 96), points, torch.Generator().manual_seed(4))
    off = (moved[:, 0, 0] - torch.tensor([WIDTH / 2, HEIGHT / 2])).abs().amax(-1)
    assert 0.02 < (off > 25).float().mean() < 0.1
    assert off.max() < module.MISPLACED * 1.2
