"""Bundles of deformation networks: written whole, checked on reading, told from the others by their task."""

import io
import zipfile

import numpy as np
import pytest
import yaml
from fixtures_bundle import manifest as image_manifest
from fixtures_shapes import template, write_bending_bundle

from perception.bundle import Bundle
from perception.bundles import load_bundle, takes_images
from perception.errors import BundleError
from perception.shapes.bundle import MOST_TEMPLATE_BYTES, ShapeBundle


@pytest.fixture
def bundle(tmp_path):
    return write_bending_bundle(tmp_path, "mug")


def edit(folder, **changes):
    path = folder / "manifest.yaml"
    path.write_text(yaml.safe_dump({**yaml.safe_load(path.read_text()), **changes}))


def refusal(folder):
    with pytest.raises(BundleError) as error:
        ShapeBundle.load(folder).template()
    assert "\n" not in str(error.value)
    return str(error.value)


def packed(**arrays):
    file = io.BytesIO()
    np.savez_compressed(file, **arrays)
    return file.getvalue()


def with_template(bundle, content):
    files = {name: bundle.read(name) for name in ("encoder.onnx", "decoder.onnx")} | {"template.npz": content}
    return bundle.replace(bundle.path, bundle.manifest, files, "").path


def test_a_bundle_comes_back_as_it_was_written(bundle):
    read = ShapeBundle.load(bundle.path)
    assert read.manifest == bundle.manifest and read.manifest.category == "mug"
    assert np.allclose(read.template().points, template().points, atol=1e-6)
    assert np.array_equal(read.template().faces, template().faces)
    assert read.card() == "# Bends\n"
    assert sorted(path.name for path in bundle.path.iterdir()) == [
        "card.md",
        "decoder.onnx",
        "encoder.onnx",
        "manifest.yaml",
        "template.npz",
    ]


def test_either_kind_of_bundle_is_loaded_by_its_task(bundle, tmp_path):
    other = Bundle.write(tmp_path / "coarse", image_manifest("coarse"), b"network", "# Card\n")
    assert isinstance(load_bundle(bundle.path), ShapeBundle) and not takes_images(bundle.path)
    assert isinstance(load_bundle(other.path), Bundle) and takes_images(other.path)
    with pytest.raises(BundleError, match="wrong at task"):
        Bundle.load(bundle.path)
    with pytest.raises(BundleError, match="wrong at"):
        ShapeBundle.load(other.path)


@pytest.mark.parametrize("name", ["encoder.onnx", "decoder.onnx", "template.npz"])
def test_damaged_and_missing_files_are_refused(bundle, name):
    content = (bundle.path / name).read_bytes()
    (bundle.path / name).write_bytes(content[:-1] + b"x")
    assert f"{name} has sha256" in refusal(bundle.path)
    (bundle.path / name).unlink()
    assert f"{name} is missing" in refusal(bundle.path)


@pytest.mark.parametrize(
    ("changes", "place"),
    [
        ({"category": "sofa"}, "wrong at category"),
        ({"latent": 0}, "wrong at latent"),
        ({"points": 10**9}, "wrong at points"),
        ({"surprise": 1}, "wrong at surprise"),
        ({"manifest_version": 9}, "has manifest version 9"),
        ({"sha256": {"../secret": "0" * 64}}, "wrong at sha256"),
        ({"sha256": {}}, "has no sha256 of encoder.onnx"),
    ],
)
def test_a_manifest_that_makes_no_sense_is_refused(bundle, changes, place):
    edit(bundle.path, **changes)
    assert place in refusal(bundle.path)


def test_templates_that_are_none_are_refused(bundle):
    points, faces = template().points, template().faces
    told = "template.npz holds no template"
    assert told in refusal(with_template(bundle, b"junk"))
    assert told in refusal(with_template(bundle, packed(vertices=points)))
    assert told in refusal(with_template(bundle, packed(vertices=points, faces=faces + 9)))
    assert told in refusal(with_template(bundle, packed(vertices=np.array([{}]), faces=faces)))
    bomb = io.BytesIO()
    with zipfile.ZipFile(bomb, "w", zipfile.ZIP_DEFLATED) as file:
        file.writestr("vertices.npy", bytes(MOST_TEMPLATE_BYTES + 1))
    assert "more than" in refusal(with_template(bundle, bomb.getvalue()))


def test_a_bundle_takes_the_place_of_no_other_files(bundle, tmp_path):
    """Such as the checkpoints of a training whose folder has the name of what it makes."""
    taken = tmp_path / "runs" / "shapes_mug"
    taken.mkdir(parents=True)
    (taken / "checkpoint.pt").write_bytes(b"hours of work")
    files = {name: bundle.read(name) for name in bundle.sums}
    with pytest.raises(BundleError, match="holds other files: export to another models folder"):
        ShapeBundle.replace(taken, bundle.manifest, files, "")
    assert [path.name for path in taken.iterdir()] == ["checkpoint.pt"]
    with pytest.raises(BundleError, match="is no bundle"):
        ShapeBundle.replace(taken / "checkpoint.pt", bundle.manifest, files, "")
    assert (taken / "checkpoint.pt").read_bytes() == b"hours of work"
    (taken / "checkpoint.pt").unlink()
    assert ShapeBundle.replace(taken, bundle.manifest, files, "").manifest.category == "mug"
    assert ShapeBundle.replace(taken, bundle.manifest, files, "").manifest.category == "mug"
