"""Several .npy files, each of them one sample."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import numpy as np

from narrows.data.arrays import as_numbers, pick_array, read_arrays
from narrows.data.image_folder import find_root, subfolder_labels
from narrows.data.places import Place, printable, walk
from narrows.data.samples import Samples
from narrows.errors import DataError
from narrows.memory import check_memory


def read_array_files(place: Path | Place, name: str) -> Samples:
    """Return the arrays of a folder's .npy files, sorted by path, as the samples of one array, with their names.

    Files that cannot be read are skipped; other files are counted in a note. Folders are labels, as of pictures.

    Raises DataError where files are of several shapes or types, and where none can be read.

    Examples
    --------
    >>> import tempfile
    >>> folder = Path(tempfile.mkdtemp())
    >>> for i in range(3):
    ...     np.save(folder / f"{i}.npy", np.full((8, 9), i))
    >>> samples = read_array_files(folder, "folder")
    >>> samples.x.shape, samples.names
    ((3, 8, 9), ('0.npy', '1.npy', '2.npy'))
    """
    skipped: dict[str, str] = {}
    files = sorted(walk(place, skipped), key=lambda file: file.parts)
    others = Counter(file.suffix.lower() or "without extension" for file in files if file.suffix.lower() != ".npy")
    root = find_root(place)
    found: dict[str, np.ndarray] = {}
    for file in (file for file in files if file.suffix.lower() == ".npy"):
        shown = printable(file.relative_to(root).as_posix())
        try:
            array = as_numbers(pick_array(read_arrays(file, shown), "x", shown), shown)
        except DataError as error:
            skipped[shown] = str(error)
            continue
        if not found:
            check_memory(array.nbytes * len(files), f"{len(files)} arrays of {array.shape}")
        found[shown] = array
    if not found:
        first = next(iter(skipped.values()), f"it holds {', '.join(sorted(others)[:5])} files")
        raise DataError(f"{name} must hold pictures, or .npy files of which each is one sample, however: {first}")
    _check_alike(found, name)
    x, names = np.stack(list(found.values())), tuple(found)
    notes = [f"{len(x):,} files of arrays, each one sample"]
    if others:
        notes.append(f"ignored {sum(others.values()):,} files that are no arrays ({', '.join(sorted(others)[:5])})")
    labels = subfolder_labels(names)
    return Samples(x, labels=labels, names=names, skipped=tuple(sorted(skipped.items())), notes=tuple(notes))


def _check_alike(found: dict[str, np.ndarray], name: str) -> None:
    (first, one), *others = found.items()
    for other, array in others:
        if (array.shape, array.dtype) != (one.shape, one.dtype):
            raise DataError(
                f"the arrays of {name} must be of one shape and type, each being one sample, however: {first} is "
                f"{one.dtype} {one.shape}, {other} {array.dtype} {array.shape}; make them alike, or give a single file"
            )
