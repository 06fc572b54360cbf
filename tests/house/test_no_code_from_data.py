"""Files hold data: nothing that is read here can become code that runs."""

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
FOLDERS = ("benchmarks", "blockworld", "launch", "ros_ws/src", "scripts", "sim", "training")
MODULES = {"cloudpickle", "dill", "joblib", "marshal", "pickle", "shelve", "torch.package"}
BUILTINS = {"__import__", "compile", "eval", "exec"}
SAFE_YAML = {
    "AliasEvent", "Node", "SafeLoader", "ScalarNode", "YAMLError", "safe_dump", "safe_load"
}  # fmt: skip
# Functions that take what is read for code unless a keyword says otherwise: the value that it must have, and whether
# leaving it out means that.
KEYWORDS = {"torch.load": ("weights_only", True, False), "np.load": ("allow_pickle", False, True)}


def code_from_data(source: str) -> set[str]:
    """What a module uses that runs what it reads."""
    found = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names if {alias.name, alias.name.partition(".")[0]} & MODULES}
        elif isinstance(node, ast.ImportFrom) and node.module:
            full = {f"{node.module}.{alias.name}" for alias in node.names}
            found |= {name for name in full if {name, node.module, node.module.partition(".")[0]} & MODULES}
            # By these names they would not be recognized below.
            found |= full & {"torch.load", "numpy.load"}
            if node.module.partition(".")[0] == "yaml":
                found |= {f"yaml.{alias.name}" for alias in node.names if alias.name not in SAFE_YAML}
        elif isinstance(node, ast.Call):
            found |= {one for one in (ast.unparse(node.func),) if one in BUILTINS}
            found |= _wrong_keyword(node)
        elif isinstance(node, ast.Attribute):
            unsafe = ast.unparse(node.value) == "yaml" and node.attr not in SAFE_YAML
            found |= {ast.unparse(node)} if unsafe or "pickle" in node.attr else set()
    return found


def _wrong_keyword(call: ast.Call) -> set[str]:
    name = ast.unparse(call.func).replace("numpy.", "np.")
    if name not in KEYWORDS:
        return set()
    keyword, wanted, by_default = KEYWORDS[name]
    given = [one.value for one in call.keywords if one.arg == keyword]
    spread = any(one.arg is None for one in call.keywords)
    right = by_default and not spread if not given else getattr(given[0], "value", None) is wanted
    return set() if right else {f"{name} without {keyword}={wanted}"}


def sources() -> list[Path]:
    built = {ROOT / "ros_ws" / name for name in ("build", "install", "log")}
    files = [path for folder in FOLDERS for path in sorted((ROOT / folder).rglob("*.py"))]
    return [path for path in files if not built & set(path.parents)]


def test_no_pickle_no_eval_and_only_safe_loaders():
    assert len(sources()) > 100
    found = {str(path.relative_to(ROOT)): code_from_data(path.read_text(encoding="utf-8")) for path in sources()}
    assert {path: what for path, what in found.items() if what} == {}


@pytest.mark.parametrize(
    ("source", "found"),
    [
        ("import pickle", {"pickle"}),
        ("from joblib import load", {"joblib.load"}),
        ("def f():\n    import torch.package", {"torch.package"}),
        ("pandas.read_pickle(path)", {"pandas.read_pickle"}),
        ("eval(text)", {"eval"}),
        ("model.eval()", set()),
        ("re.compile(text)", set()),
        ("yaml.load(text, yaml.Loader)", {"yaml.load", "yaml.Loader"}),
        ("from yaml import unsafe_load", {"yaml.unsafe_load"}),
        ("yaml.safe_load(text)", set()),
        ("torch.load(path)", {"torch.load without weights_only=True"}),
        ("torch.load(path, weights_only=False)", {"torch.load without weights_only=True"}),
        ("torch.load(path, weights_only=True)", set()),
        ("from torch import load", {"torch.load"}),
        ("np.load(path)", set()),
        ("numpy.load(path, allow_pickle=True)", {"np.load without allow_pickle=False"}),
        ("np.load(path, **options)", {"np.load without allow_pickle=False"}),
    ],
)
def test_every_way_to_run_what_is_read_is_seen(source, found):
    assert code_from_data(source) == found
