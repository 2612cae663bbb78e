"""Messages across the sandbox's border: a JSON header and raw arrays. No pickle, and no length is trusted.

A frame is `DGM1`, the header's size (u32), the body's size (u64), the header, the body. `header["arrays"]` lists
`[name, dtype, shape]`; the body holds their bytes one after another, C order, little endian.
"""

import json
import math
import struct

import numpy as np
import torch
from torch import Tensor

PREFIX = struct.Struct("<4sIQ")
MAGIC = b"DGM1"
MAX_HEADER = 512 * 1024
MAX_BODY = 64 * 1024 * 1024
MAX_ARRAYS = 2000
MAX_AXES = 12
MAX_NAME = 200
DTYPES = {
    "float16": torch.float16,
    "bfloat16": torch.bfloat16,
    "float32": torch.float32,
    "float64": torch.float64,
    "complex64": torch.complex64,
    "complex128": torch.complex128,
    "uint8": torch.uint8,
    "int8": torch.int8,
    "int16": torch.int16,
    "int32": torch.int32,
    "int64": torch.int64,
    "bool": torch.bool,
}
NAMES = {dtype: name for name, dtype in DTYPES.items()}


class FrameError(ValueError):
    """What came is no frame, or is larger than a frame may be."""


def encode(header: dict, arrays: dict[str, Tensor] | None = None) -> bytes:
    """One frame. Raises FrameError where it would be too large."""
    listed, parts = [], []
    for name, value in (arrays or {}).items():
        listed.append([name, NAMES[value.dtype], list(value.shape)])
        flat = torch.empty(value.numel(), dtype=value.dtype).copy_(value.detach().reshape(-1))
        parts.append(flat.view(torch.uint8).numpy().tobytes())
    head = json.dumps(header | {"arrays": listed}).encode()
    body = b"".join(parts)
    check_sizes(len(head), len(body))
    return PREFIX.pack(MAGIC, len(head), len(body)) + head + body


def sizes(prefix: bytes) -> tuple[int, int]:
    """Header and body size from the first bytes of a frame."""
    magic, head, body = PREFIX.unpack(prefix)
    if magic != MAGIC:
        raise FrameError("a message that is no frame")
    check_sizes(head, body)
    return head, body


def check_sizes(head: int, body: int):
    if head > MAX_HEADER or body > MAX_BODY:
        raise FrameError(f"a message of {(head + body) / 1e6:.0f} MB, at most {MAX_BODY / 1e6:.0f} MB")


def decode(head: bytes, body: bytes) -> tuple[dict, dict[str, Tensor]]:
    """Header and arrays. Every array is a fresh tensor of a known dtype whose size was checked. Raises FrameError."""
    try:
        return parsed(head, body)
    except FrameError:
        raise
    except Exception as error:  # whatever a hostile frame makes json or torch say
        raise FrameError(f"a message that cannot be read ({type(error).__name__})") from error


def parsed(head: bytes, body: bytes) -> tuple[dict, dict[str, Tensor]]:
    try:
        header = json.loads(head, parse_constant=not_json)
    except (ValueError, RecursionError) as error:
        raise FrameError("a header that is no JSON") from error
    listed = header.pop("arrays", None) if isinstance(header, dict) else None
    if not isinstance(listed, list) or len(listed) > MAX_ARRAYS:
        raise FrameError("a header without a list of arrays")
    arrays, start = {}, 0
    for entry in listed:
        name, dtype, shape, size = described(entry)
        if name in arrays:
            raise FrameError("two arrays of one name")
        if start + size > len(body):
            raise FrameError("arrays larger than the message")
        arrays[name] = tensor(body[start : start + size], dtype, shape)
        start += size
    if start != len(body):
        raise FrameError("arrays smaller than the message")
    return header, arrays


def not_json(constant: str):
    """Python's json reads NaN and Infinity, which JSON does not know."""
    raise ValueError(constant)


def described(entry) -> tuple[str, torch.dtype, list[int], int]:
    """Name, dtype, shape and size in bytes of one listed array."""
    if not isinstance(entry, list) or len(entry) != 3:
        raise FrameError("an array without name, dtype and shape")
    name, dtype, shape = entry
    if not isinstance(name, str) or len(name) > MAX_NAME or not isinstance(dtype, str) or dtype not in DTYPES:
        raise FrameError("an array of unknown name or dtype")
    if not isinstance(shape, list) or len(shape) > MAX_AXES:
        raise FrameError("an array without a shape")
    if not all(type(n) is int and 0 <= n <= MAX_BODY for n in shape):
        raise FrameError("an array of impossible shape")
    if math.prod(n for n in shape if n) > MAX_BODY:  # an empty array too has strides
        raise FrameError("an array of impossible shape")
    return name, DTYPES[dtype], shape, math.prod(shape) * DTYPES[dtype].itemsize


def tensor(raw: bytes, dtype: torch.dtype, shape: list[int]) -> Tensor:
    if not raw:
        return torch.empty(shape, dtype=dtype)
    flat = torch.from_numpy(np.frombuffer(raw, np.uint8).copy())
    # A byte that is neither 0 nor 1 is undefined as a bool.
    flat = flat != 0 if dtype == torch.bool else flat.view(dtype)
    return flat.reshape(shape)
