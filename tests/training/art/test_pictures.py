"""Every kind of scan becomes an upright RGB picture, and what cannot be used is told in one sentence."""

import os
import zlib

import numpy as np
import pytest
from fixtures_art import scan
from PIL import Image, ImageCms, ImageFile, ImageOps

from perception.errors import ImageError
from perception.picture_folder import content_digest
from training.art import pictures
from training.art.pictures import read_picture


def grey(picture: Image.Image) -> Image.Image:
    return Image.fromarray(np.asarray(picture.convert("L")).astype(np.uint16) * 257)


def in_lab(picture: Image.Image) -> Image.Image:
    rgb, lab = ImageCms.createProfile("sRGB"), ImageCms.createProfile("LAB")
    return ImageCms.applyTransform(picture, ImageCms.buildTransform(rgb, lab, "RGB", "LAB"))


@pytest.mark.parametrize(
    ("name", "made", "off"),
    [
        ("a.png", lambda one: one, 0),
        ("a.jpg", lambda one: one, 30),
        ("a.webp", lambda one: one, 30),
        ("a.tif", lambda one: one, 0),
        ("palette.png", lambda one: one.convert("P", palette=Image.Palette.ADAPTIVE), 12),
        ("opaque.png", lambda one: one.convert("RGBA"), 0),
        ("cmyk.tif", lambda one: one.convert("CMYK"), 2),
        ("cmyk.jpg", lambda one: one.convert("CMYK"), 30),
        ("lab.tif", in_lab, 8),
    ],
)
def test_colours_survive(tmp_path, name, made, off):
    made(scan()).save(tmp_path / name)
    picture = read_picture(tmp_path / name)
    assert picture.size == (96, 64) and picture.rgb.shape == (64, 96, 3) and picture.rgb.dtype == np.uint8
    assert np.abs(picture.rgb.astype(int) - np.asarray(scan())).mean() <= off


@pytest.mark.parametrize(
    ("name", "made"),
    [
        ("l.png", lambda one: one.convert("L")),
        ("la.png", lambda one: one.convert("LA")),
        ("16.png", grey),
        ("16.tif", grey),
        ("16.pgm", grey),
        ("32.tif", lambda one: grey(one).convert("I")),
    ],
)
def test_grey_and_16_bits_become_rgb_of_8(tmp_path, name, made):
    made(scan()).save(tmp_path / name)
    wanted = np.asarray(scan().convert("L"))[..., None].repeat(3, axis=2)
    np.testing.assert_array_equal(read_picture(tmp_path / name).rgb, wanted)


def test_what_is_transparent_is_white(tmp_path):
    clear = scan().convert("RGBA")
    clear.putalpha(0)
    clear.save(tmp_path / "clear.png")
    assert (read_picture(tmp_path / "clear.png").rgb == 255).all()


@pytest.mark.parametrize("ending", ["jpg", "png", "tif", "webp"])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_pictures_are_turned_as_their_exif_says(tmp_path, orientation, ending):
    exif = Image.Exif()
    exif[0x0112] = orientation
    scan().save(tmp_path / f"a.{ending}", exif=exif, **({"lossless": True} if ending == "webp" else {}))
    with Image.open(tmp_path / f"a.{ending}") as opened:
        wanted = ImageOps.exif_transpose(opened).convert("RGB")
    picture = read_picture(tmp_path / f"a.{ending}")
    assert picture.size == wanted.size and picture.rgb.shape[:2] == wanted.size[::-1]
    assert np.abs(picture.rgb.astype(int) - np.asarray(wanted)).max() <= 1


def test_damaged_exif_leaves_the_picture_as_it_is(tmp_path):
    scan().save(tmp_path / "a.jpg", exif=b"Exif\x00\x00II*\x00\xff\xff\xff\xff")
    assert read_picture(tmp_path / "a.jpg").size == (96, 64)


@pytest.mark.parametrize("ending", ["gif", "webp", "png", "tif"])
def test_the_first_frame_stands_for_all(tmp_path, ending):
    first, second = Image.new("RGB", (64, 64), "red"), Image.new("RGB", (64, 64), "blue")
    first.save(tmp_path / f"a.{ending}", save_all=True, append_images=[second])
    assert np.abs(read_picture(tmp_path / f"a.{ending}").rgb[32, 32].astype(int) - (255, 0, 0)).max() <= 3


def test_a_large_picture_keeps_its_size_and_its_proportions(tmp_path):
    Image.new("RGB", (9000, 3000), "red").save(tmp_path / "large.jpg")
    picture = read_picture(tmp_path / "large.jpg")
    assert picture.size == (9000, 3000) and picture.rgb.shape == (853, 2560, 3)


@pytest.mark.parametrize(("name", "options"), [("a.png", {}), ("a.tif", {}), ("a.jpg", {"progressive": True})])
def test_what_would_take_too_much_memory_is_refused_before_it_is_decoded(tmp_path, monkeypatch, name, options):
    scan().save(tmp_path / name, **options)
    monkeypatch.setattr(pictures, "MOST_PIXELS", 96 * 64 - 1)
    monkeypatch.setattr(ImageFile.ImageFile, "load", lambda _: pytest.fail("it was decoded"))
    with pytest.raises(ImageError, match=r"96 x 64 px, too large: save it with at most") as told:
        read_picture(tmp_path / name)
    assert told.value.kind == "size"


def test_a_jpeg_beyond_that_is_made_smaller_while_it_is_decoded(tmp_path, monkeypatch):
    Image.new("RGB", (5200, 2600), "red").save(tmp_path / "a.jpg")
    monkeypatch.setattr(pictures, "MOST_PIXELS", 1_000_000)
    decoded = []
    monkeypatch.setattr(pictures, "_in_rgb", lambda picture: decoded.append(picture.size) or picture)
    assert read_picture(tmp_path / "a.jpg").size == (5200, 2600)
    assert decoded == [(2600, 1300)]


def test_a_file_that_claims_to_be_enormous_is_refused(tmp_path):
    scan().save(tmp_path / "a.png")
    content = bytearray((tmp_path / "a.png").read_bytes())
    content[16:24] = (60_000).to_bytes(4, "big") * 2
    content[29:33] = zlib.crc32(content[12:29]).to_bytes(4, "big")
    (tmp_path / "a.png").write_bytes(content)
    with pytest.raises(ImageError, match=r"a.png is too large: save it with at most 100 megapixels"):
        read_picture(tmp_path / "a.png")


def bad(tmp_path, name):
    """One file of each kind that cannot be used."""
    path = tmp_path / name
    scan(width=640, height=480).save(tmp_path / "good.jpg")
    whole = (tmp_path / "good.jpg").read_bytes()
    if name == "floats.tif":
        Image.fromarray(np.random.default_rng(0).random((64, 64)).astype(np.float32)).save(path)
    elif name == "pipe.jpg":
        os.mkfifo(path)
    elif name == "folder.jpg":
        path.mkdir()
    elif name != "missing.jpg":
        path.write_bytes({
            "empty.jpg": b"",
            "cut.jpg": whole[: len(whole) // 2],
            "header.jpg": whole[:300],
            "text.jpg": b"these are no pixels",
            "postscript.jpg": b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n",
        }[name])  # fmt: skip
    return path


@pytest.mark.parametrize(
    ("name", "kind", "told"),
    [
        ("empty.jpg", "empty", "is empty: copy it again"),
        ("cut.jpg", "damaged", "is damaged .* copy or save it again"),
        ("header.jpg", "damaged|format", "is damaged|no picture that can be read"),
        ("text.jpg", "format", "no picture that can be read: save it as JPEG"),
        ("postscript.jpg", "format", "no picture that can be read"),
        ("floats.tif", "format", "32 bits: save it with 8 or 16"),
        ("pipe.jpg", "file", "cannot be read .*no regular file"),
        ("folder.jpg", "file", "cannot be read"),
        ("missing.jpg", "file", "cannot be read .No such file"),
    ],
)
def test_what_cannot_be_used_is_told_in_one_sentence(tmp_path, name, kind, told):
    with pytest.raises(ImageError, match=told) as error:
        read_picture(bad(tmp_path, name))
    assert error.value.kind in kind.split("|")
    assert str(error.value).startswith(str(tmp_path / name)) and str(error.value).count("\n") == 0


def test_a_name_that_would_break_a_line_is_told_on_one(tmp_path):
    (tmp_path / "two\nlines\x07.jpg").touch()
    with pytest.raises(ImageError, match=r"two\?lines\?\.jpg is empty"):
        read_picture(tmp_path / "two\nlines\x07.jpg")


def test_the_digest_is_of_the_content(tmp_path):
    for name in ("a.png", "b.png"):
        scan().save(tmp_path / name)
    scan(1).save(tmp_path / "c.png")
    a, b, c = (content_digest(tmp_path / name) for name in ("a.png", "b.png", "c.png"))
    assert a == b != c and len(a) == 64
