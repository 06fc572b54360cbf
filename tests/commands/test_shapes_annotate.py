"""blockworld shapes annotate writes an annotated object, and tells bad input in one sentence."""

from click.testing import CliRunner

from blockworld.commands.shapes.annotate import annotate
from perception.errors import BlockworldError
from perception.exemplars import AnnotatedObject


def run(*arguments: str):
    return CliRunner().invoke(annotate, arguments)


def test_a_bottle_is_annotated(tmp_path):
    path = tmp_path / "bottle.npz"
    result = run("bottle", "--seed", "2", "--grasps", "2", "--tries", "1", "--out", str(path))
    assert result.exit_code == 0, result.output
    assert "2 grasps" in result.output
    made = AnnotatedObject.load(path)
    assert made.category == "bottle" and made.grasps.tries.tolist() == [1, 1]


def test_an_unknown_category_is_told(tmp_path):
    result = run("spoon", "--out", str(tmp_path / "spoon.npz"))
    assert isinstance(result.exception, BlockworldError)
    assert "choose one of mug, cup, bowl, bottle, pan, hammer" in str(result.exception)


def test_a_file_that_is_no_archive_is_refused_before_anything_is_tried(tmp_path):
    result = run("mug", "--out", str(tmp_path / "mug.obj"))
    assert result.exit_code == 2 and "'mug.obj' is to end in .npz" in result.output
