"""Exports say the same as the data set, in the words of their formats."""

import json

import cv2
import numpy as np
import pytest
import trimesh
from fixtures_dataset import SMALL, changed

from sim.dataset import build, depth_m, read_samples, rgb, segmentation
from sim.dataset.bop import symmetries_of
from sim.dataset.coco import run_lengths
from sim.dataset.contact_sheet import card
from sim.dataset.export import export
from sim.dataset.labels import CORNERS, EDGES, block_corners, shot_of, to_pixels, view_of
from sim.keypoints import BLOCK_CHANNELS
from sim.optics import from_image
from sim.scene import BLOCK, ROBOT

SIZE = 160
LENS = {"lens": {"k1": [-0.2, -0.1], "k2": [0.0, 0.0], "shift_px": [-15, 15]}}


@pytest.fixture(scope="module", params=[{}, LENS], ids=["pinhole", "lens"])
def data(request, tmp_path_factory):
    folder = tmp_path_factory.mktemp("data")
    config = changed(
        scenes=3, width=SIZE, height=SIZE, depth=True, segmentation=True, randomization=request.param
    )
    list(build(config, folder))
    return folder


@pytest.fixture(scope="module")
def bop(data, tmp_path_factory):
    out = tmp_path_factory.mktemp("bop") / "out"
    assert export(data, "bop", out) == 6
    return out


@pytest.fixture(scope="module")
def coco(data, tmp_path_factory):
    out = tmp_path_factory.mktemp("coco") / "out"
    assert export(data, "coco", out) == 6
    return out


def read(path):
    return json.loads(path.read_text())


def overlap(first, second):
    return (first & second).sum() / max(1, (first | second).sum())


def entries(bop):
    """Sample number, folder of the scene, image, and the three tables' entries."""
    for scene in sorted((bop / "train").iterdir()):
        tables = [read(scene / f"{name}.json") for name in ("scene_camera", "scene_gt", "scene_gt_info")]
        for image in sorted(tables[0]):
            camera, (truth,), (info,) = (table[image] for table in tables)
            yield 2 * int(scene.name) + int(image), scene, int(image), camera, truth, info


def projected(points_mm, camera, truth):
    """BOP's projection: pixels whose centres are whole numbers."""
    rotation, shift = np.reshape(truth["cam_R_m2c"], (3, 3)), np.array(truth["cam_t_m2c"])
    pixels = (points_mm @ rotation.T + shift) @ np.reshape(camera["cam_K"], (3, 3)).T
    return pixels[:, :2] / pixels[:, 2:]


def straightened(record, places_px):
    """Where the pixels of a stored image come to when the radial distortion is taken out."""
    view, shot = view_of(record), shot_of(record)
    size = np.array([shot.u1 - shot.u0, shot.v1 - shot.v0]) / (shot.width, shot.height)
    pinhole = from_image(view, places_px * size + (shot.u0, shot.v0))
    return shot.from_image(pinhole + view.lens.shift_px)


def test_bop_poses_reproject_to_the_keypoints(data, bop):
    samples = list(read_samples(data))
    checked = 0
    for number, _, _, camera, truth, _ in entries(bop):
        record = samples[number].record
        places = np.array([place for channel in BLOCK_CHANNELS for _, place in channel.places])
        found = projected(1000 * places * record["block"]["size_m"], camera, truth) + 0.5
        wanted = np.array([place for c in record["keypoints"] if c["kind"] == "block" for place in c["px"]])
        np.testing.assert_allclose(found, straightened(record, wanted), atol=0.01)
        checked += 1
        assert truth["obj_id"] == record["scene"] + 1
        assert np.linalg.det(np.reshape(truth["cam_R_m2c"], (3, 3))) == pytest.approx(1)
        in_world = np.reshape(camera["cam_R_w2c"], (3, 3)).T @ (
            np.array(truth["cam_t_m2c"]) - camera["cam_t_w2c"]
        )
        np.testing.assert_allclose(in_world / 1000, np.array(record["block"]["T_base_block"])[:3, 3], atol=1e-9)
    assert checked == 6


def test_bop_models_are_the_blocks(data, bop):
    info = read(bop / "models" / "models_info.json")
    assert sorted(info) == ["1", "2", "3"]
    for sample in read_samples(data):
        number = sample.record["scene"] + 1
        size = 1000 * np.array(sample.record["block"]["size_m"])
        mesh = trimesh.load(bop / "models" / f"obj_{number:06d}.ply")
        np.testing.assert_allclose(mesh.extents, size, atol=1e-4)
        assert mesh.is_watertight and mesh.volume == pytest.approx(size.prod(), rel=1e-4), "faces look outward"
        entry = info[str(number)]
        np.testing.assert_allclose([entry[f"size_{axis}"] for axis in "xyz"], size)
        np.testing.assert_allclose([entry[f"min_{axis}"] for axis in "xyz"], [-size[0] / 2, -size[1] / 2, 0])
        assert entry["diameter"] == pytest.approx(np.linalg.norm(size))


@pytest.mark.parametrize(("size_mm", "count"), [((80, 40, 30), 3), ((80, 30, 30), 7), ((30, 30, 30), 23)])
def test_bop_symmetries_bring_the_box_onto_itself(size_mm, count):
    found = symmetries_of(np.array(size_mm, float))
    corners = np.c_[CORNERS * size_mm, np.ones(8)]
    images = [corners @ np.reshape(symmetry, (4, 4)).T for symmetry in found]
    for symmetry, image in zip(found, images, strict=True):
        assert sorted(image.tolist()) == sorted(corners.tolist())
        assert np.linalg.det(np.reshape(symmetry, (4, 4))) == pytest.approx(1)
    assert len({str(image) for image in [corners, *images]}) == 1 + count == 1 + len(found), "no two are the same"


def test_bop_models_have_the_half_turns_of_their_blocks(bop):
    for entry in read(bop / "models" / "models_info.json").values():
        turns = np.reshape(entry["symmetries_discrete"], (-1, 4, 4))
        assert sorted(np.diag(turn).tolist() for turn in turns) == [[-1, -1, 1, 1], [-1, 1, -1, 1], [1, -1, -1, 1]]
        for turn in turns:
            assert turn[:3, 3].tolist() == [0, 0, entry["size_z"] if turn[2, 2] < 0 else 0]


def test_bop_pictures_agree_with_the_poses(bop):
    overlaps = []
    for _, scene, image, camera, truth, info in entries(bop):
        mask, visible = (
            cv2.imread(str(scene / kind / f"{image:06d}_000000.png"), cv2.IMREAD_UNCHANGED) > 0
            for kind in ("mask", "mask_visib")
        )
        depth = cv2.imread(str(scene / "depth" / f"{image:06d}.png"), cv2.IMREAD_UNCHANGED)
        colours = cv2.imread(str(scene / "rgb" / f"{image:06d}.png"))
        assert colours.shape == (SIZE, SIZE, 3) and depth.shape == mask.shape == (SIZE, SIZE)
        assert depth.dtype == np.uint16
        assert info["px_count_visib"] == visible.sum()
        assert info["px_count_valid"] == (mask & (depth > 0)).sum()
        assert info["px_count_all"] >= mask.sum()
        assert info["visib_fract"] == pytest.approx(min(1, visible.sum() / info["px_count_all"]))
        rows, columns = np.nonzero(visible)
        x, y, width, height = info["bbox_visib"]
        assert (columns.min(), rows.min()) == (x, y)
        assert (columns.max(), rows.max()) == (x + width - 1, y + height - 1)
        if info["visib_fract"] > 0.97:
            overlaps.append(overlap(mask, visible))
            # The depth of the block's pixels is that of a box of its size in its place.
            metres = depth[visible] * camera["depth_scale"] / 1000
            middle = truth["cam_t_m2c"][2] / 1000
            assert np.abs(metres - middle).max() < 0.1
    assert len(overlaps) >= 2 and min(overlaps) > 0.9


def test_bop_pictures_of_a_pinhole_are_not_resampled(data, bop):
    for number, sample in enumerate(read_samples(data)):
        if sample.record["camera"]["lens"]["k1"] == 0:
            folder, name = bop / "train" / f"{number // 2:06d}", f"{number % 2:06d}.png"
            np.testing.assert_array_equal(cv2.imread(str(folder / "rgb" / name))[..., ::-1], rgb(sample))
            stored = cv2.imread(str(folder / "depth" / name), cv2.IMREAD_UNCHANGED) * 2e-4
            np.testing.assert_allclose(stored[stored > 0], depth_m(sample)[stored > 0], rtol=1e-6)


def test_coco_has_the_documented_fields(data, coco):
    table = read(coco / "annotations.json")
    assert sorted(table) == ["annotations", "categories", "images", "info", "licenses"]
    assert [(c["id"], c["name"]) for c in table["categories"]] == [(1, "block"), (2, "panda"), (3, "distractor")]
    names = table["categories"][0]["keypoints"]
    assert names[:4] == ["block_centre", "block_top", "block_ends_1", "block_ends_2"]
    assert len(names) == sum(channel.modes for channel in BLOCK_CHANNELS)
    for image in table["images"]:
        picture = cv2.imread(str(coco / "images" / image["file_name"]))
        assert picture.shape == (image["height"], image["width"], 3)
    ids = [annotation["id"] for annotation in table["annotations"]]
    assert len(set(ids)) == len(ids)
    for annotation in table["annotations"]:
        names = table["categories"][annotation["category_id"] - 1].get("keypoints", [])
        assert len(annotation.get("keypoints", [])) == 3 * len(names)
        assert annotation.get("num_keypoints", 0) == sum(v > 0 for v in annotation.get("keypoints", [])[2::3])


def decoded(counts, size):
    """The mask of COCO's uncompressed run lengths, as its own tools read it."""
    flat = np.repeat(np.arange(len(counts)) % 2, counts)
    return flat.reshape(size, order="F").astype(bool)


def test_coco_masks_boxes_and_keypoints_are_those_of_the_data_set(data, coco):
    table = read(coco / "annotations.json")
    for number, sample in enumerate(read_samples(data), start=1):
        labels = segmentation(sample)
        for annotation in (a for a in table["annotations"] if a["image_id"] == number):
            if annotation["category_id"] == 3:
                continue
            mask = decoded(annotation["segmentation"]["counts"], annotation["segmentation"]["size"])
            label = {1: BLOCK, 2: ROBOT}[annotation["category_id"]]
            np.testing.assert_array_equal(mask, labels == label)
            assert annotation["area"] == mask.sum()
            x, y, width, height = annotation["bbox"]
            assert mask[y : y + height, x : x + width].sum() == mask.sum()
            assert mask[y, x : x + width].any() and mask[y : y + height, x + width - 1].any()
            points = np.array(annotation["keypoints"]).reshape(-1, 3)
            kind = {1: "block", 2: "robot"}[annotation["category_id"]]
            stored = [
                (*place, state) if place is not None and state else (0.5, 0.5, 0)
                for channel in sample.record["keypoints"]
                if channel["kind"] == kind
                for place, state in zip(channel["px"], channel["visibility"], strict=True)
            ]
            points[:, :2] += 0.5  # COCO counts from the first pixel's centre
            np.testing.assert_allclose(points, stored, atol=1e-3)


def test_images_without_the_block_have_no_annotation_of_it(tmp_path):
    config = changed(
        scenes=1, depth=True, segmentation=True, randomization={"absent": {"block_share": 1.0}}
    )
    list(build(config, tmp_path / "data"))
    for kind in ("bop", "coco"):
        assert export(tmp_path / "data", kind, tmp_path / kind) == 2
    for name in ("scene_gt", "scene_gt_info"):
        assert read(tmp_path / "bop" / "train" / "000000" / f"{name}.json") == {"0": [], "1": []}
    assert {a["category_id"] for a in read(tmp_path / "coco" / "annotations.json")["annotations"]} == {2}
    assert all(card(sample)["box"] == [] for sample in read_samples(tmp_path / "data"))


@pytest.mark.parametrize("text", ["00/00", "11/11", "01/10", "10/01", "00/01", "10/00", "110/011"])
def test_run_lengths_of_small_masks(text):
    mask = np.array([[letter == "1" for letter in row] for row in text.split("/")])
    counts = run_lengths(mask)
    assert sum(counts) == mask.size
    np.testing.assert_array_equal(decoded(counts, mask.shape), mask)


def test_the_box_of_the_block_encloses_its_pixels(data):
    for sample in read_samples(data):
        corners = to_pixels(sample.record, block_corners(sample.record))
        rows, columns = np.nonzero(segmentation(sample) == BLOCK)
        assert (columns.min() >= corners[:, 0].min() - 1) and (columns.max() <= corners[:, 0].max() + 1)
        assert (rows.min() >= corners[:, 1].min() - 1) and (rows.max() <= corners[:, 1].max() + 1)
    assert len(EDGES) == 12


def test_an_export_is_whole_or_not_there(data, tmp_path):
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "mine").write_text("x")
    with pytest.raises(ValueError, match="exists already"):
        export(data, "coco", tmp_path / "full")
    assert (tmp_path / "full" / "mine").read_text() == "x"

    def interrupted(_):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        export(data, "bop", tmp_path / "out", interrupted)
    assert [path.name for path in tmp_path.iterdir()] == ["full"]


def test_what_a_format_needs_is_named(tmp_path):
    list(build(changed(scenes=1), tmp_path / "plain"))
    with pytest.raises(ValueError, match=r"no depth and no segmentation, which bop needs: .* depth=true segm"):
        export(tmp_path / "plain", "bop", tmp_path / "out")
    scenes = build(changed(segmentation=True), tmp_path / "begun")
    next(scenes)
    scenes.close()
    with pytest.raises(ValueError, match="has no complete shard yet"):
        export(tmp_path / "begun", "coco", tmp_path / "out")
    assert not (tmp_path / "out").exists()
    assert SMALL.depth is False
