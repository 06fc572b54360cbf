"""Writes down what TensorRT's Python bindings declare, from their wheels and without the libraries behind them.

    python tests/perception/record_tensorrt_signatures.py WHEEL ... > tests/perception/tensorrt_signatures.json

The bindings, which PyPI has, want three libraries, which it has not. Here these are empty: enough to import the module
and read the signatures in its docstrings. Needs gcc, and a Python of the wheels' version.
"""

import json
import re
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

CLASSES = (
    "Builder", "IBuilderConfig", "ICudaEngine", "IExecutionContext", "IHostMemory", "INetworkDefinition",
    "IOptimizationProfile", "ITimingCache", "Logger", "OnnxParser", "Runtime",
)  # fmt: skip
ENUMS = ("MemoryPoolType", "NetworkDefinitionCreationFlag")
LIBRARIES = ("nvinfer", "nvinfer_plugin", "nvonnxparser")
LOOK = f"""
import json, tensorrt_bindings as trt
found = {{"version": trt.__version__, "functions": [n for n in ("nptype",) if callable(getattr(trt, n, None))]}}
found["enums"] = {{name: list(getattr(trt, name).__members__) for name in {ENUMS}}}
found["docs"] = {{
    name: {{member: getattr(getattr(trt, name), member).__doc__ or "" for member in dir(getattr(trt, name))
           if member == "__init__" or not member.startswith("_")}}
    for name in {CLASSES}
}}
print(json.dumps(found))
"""


def record(wheel: Path) -> dict:
    """Version, functions, members of enums, and of each method of a class the parameters of each overload."""
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        zipfile.ZipFile(wheel).extractall(folder)
        module = next(folder.glob("*/tensorrt.so"))
        needed = subprocess.run(["readelf", "-d", module], capture_output=True, text=True, check=True).stdout
        names = subprocess.run(["nm", "-D", "--undefined-only", module], capture_output=True, text=True, check=True)
        wanted = re.findall(r"U (create\w+_INTERNAL|get\w*Registry|getNvOnnx\w+|initLib\w+)$", names.stdout, re.M)
        source = folder / "nothing.c"
        source.write_text("".join(f"void *{name}(void) {{ return 0; }}\n" for name in wanted))
        for library in LIBRARIES:
            (name,) = re.findall(rf"\[(lib{library}\.so\.\d+)\]", needed)
            subprocess.run(
                ["gcc", "-shared", "-fPIC", f"-Wl,-soname,{name}", "-o", folder / name, source], check=True
            )
        found = json.loads(
            subprocess.run(
                [sys.executable, "-c", LOOK], cwd=folder, env={"LD_LIBRARY_PATH": scratch, "PYTHONPATH": scratch},
                capture_output=True, text=True, check=True,
            ).stdout
        )  # fmt: skip
    docs = found.pop("docs")
    found["classes"] = {
        name: {member: overloads(member, doc) for member, doc in members.items()} for name, members in docs.items()
    }
    return found


def overloads(member: str, doc: str) -> list[list[str]]:
    """Names of the parameters after self, those with a default in brackets; none for what is not called."""
    lines = re.findall(rf"^(?:\d+\. )?{re.escape(member)}\(self: [\w.]+(?:, )?(.*)\) -> ", doc, re.M)
    return [[f"[{name}]" if default else name for name, default in parameters(line)] for line in lines]


def parameters(line: str) -> list[tuple[str, bool]]:
    """(name, whether it has a default) of "a: int, b: list[int] = None"."""
    parts, depth, current = [], 0, ""
    for letter in line + ",":
        depth += (letter in "[<(" and 1) or (letter in "]>)" and -1) or 0
        if letter == "," and depth == 0:
            parts.append(current.strip())
            current = ""
        else:
            current += letter
    return [(part.split(":")[0].strip(), " = " in part) for part in parts if part]


if __name__ == "__main__":
    print("[" + ",\n".join(json.dumps(record(Path(wheel))) for wheel in sys.argv[1:]) + "]")
