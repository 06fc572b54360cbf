"""Bundles as chance damages them, each opened and run. A program of its own, since a network could end the process.

    python mutated_bundles.py FOLDER SEED FIRST COUNT FILE...

damages one file of the bundle FOLDER after another COUNT times, with checksums made anew, so that what lies behind them
is reached, and prints for each damage a line: its number, the file, and what came of it.
"""

import re
import resource
import sys
import tempfile
from hashlib import sha256
from pathlib import Path
from shutil import copytree

import numpy as np

from perception.bundle import Bundle
from perception.engines import open_engine
from perception.errors import BlockworldError

MOST_MEMORY = 3 << 30  # address space of this process, bytes
BYTES = (b"\0", b"\1", b"\x7f", b"\x80", b"\xff", b"\xff\xff\xff\xff\x7f", b"\n")
WORDS = (b"&a [*a]", b"*a", b"!!python/name:os.system", b"1e999", b".nan", b"-1", b"99999999", b"0", b"[", b"{", b"- ",
         b"../x", b"null", b"\n", b": ", b"1e-300", b"x")  # fmt: skip


def damaged(content: bytes, words: tuple[bytes, ...], rng: np.random.Generator) -> bytes:
    """The content with a few bytes changed, or a part of it left out, put in, doubled or gone to zero."""
    some, kind = bytearray(content), rng.integers(8)
    place = int(rng.integers(len(some) + 1))
    end = min(len(some), place + int(rng.integers(1, 17)))
    if kind <= 1 and words is WORDS:
        tokens = list(re.finditer(rb"[-+.\w]+", content))
        place, end = tokens[rng.integers(len(tokens))].span()
        some[place:end] = words[rng.integers(len(words))]
    elif kind <= 3:
        for _ in range(rng.integers(1, 4)):
            word = words[rng.integers(len(words))]
            place = int(rng.integers(len(some)))
            some[place : place + len(word)] = word
    elif kind == 4:
        some[place:end] = rng.bytes(1)
    elif kind == 5:
        del some[place : None if rng.random() < 0.3 else end]
    elif kind == 6:
        some[place:place] = some[place:end]
    else:
        some[place:end] = words[rng.integers(len(words))]
    return bytes(some)


def write_damaged(bundle: Path, name: str, rng: np.random.Generator) -> None:
    """Damages a file of the bundle and gives the manifest its new checksum."""
    content = damaged((bundle / name).read_bytes(), WORDS if name.endswith(".yaml") else BYTES, rng)
    (bundle / name).write_bytes(content)
    manifest = bundle / "manifest.yaml"
    if name != manifest.name:
        text = re.sub(rf"(\s{re.escape(name)}: )\w+", rf"\g<1>{sha256(content).hexdigest()}", manifest.read_text())
        manifest.write_text(text)


def outcome(folder: Path) -> str:
    """What opening and running the bundle comes to: "runs", one sentence of refusal, or what is wrong with that."""
    try:
        bundle = Bundle.load(folder)
        bundle.robot()
        size = bundle.manifest.input
        for precision in bundle.precisions:
            engine = open_engine(bundle, "onnxruntime-cpu" if precision == "fp32" else "onnxruntime-cpu-int8")
            found = engine.run(np.full((1, size.height, size.width, 3), 100, np.uint8))
            if found.shape != (1, *bundle.manifest.output_shape) or found.dtype != np.float32:
                return f"WRONG: {found.shape} {found.dtype}"
    except BlockworldError as error:
        told = str(error)
        sentence = told.isprintable() and len(told) < 1000 and re.search(r"[.:] ?[^.:]+\.$", told)
        return f"refused: {told}" if sentence else f"WRONG: {told!r}"
    except BaseException as error:
        return f"WRONG: {error!r}"
    return "runs"


def main(folder: str, seed: str, first: str, count: str, *files: str) -> None:
    resource.setrlimit(resource.RLIMIT_AS, (MOST_MEMORY, MOST_MEMORY))
    for number in range(int(first), int(count) * len(files)):
        name = files[number % len(files)]
        print(number, name, end=" ", flush=True)
        with tempfile.TemporaryDirectory() as scratch:
            bundle = copytree(folder, Path(scratch) / "tool")
            write_damaged(bundle, name, np.random.default_rng((int(seed), number)))
            print(outcome(bundle), flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
