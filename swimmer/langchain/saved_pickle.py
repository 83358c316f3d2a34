"""The pickle that LangChain's FAISS saves, read without Python's unpickler.

A pickle is a program for a small stack machine. This reads the instructions that a saved FAISS is
made of (`pickletools` lists all there are) and builds plain values: nothing is imported or called,
no memory is reserved by a number in the file, and no value is hashed but texts and row numbers,
since hashing a deeply nested tuple ends the process, and numbers of one hash take it for ever.
"""

from __future__ import annotations

import pickletools
from typing import Any

from swimmer.errors import SourceError

_ROWS = 1 << 40

_VALUES = {
    "BININT",
    "BININT1",
    "BININT2",
    "LONG1",
    "BINFLOAT",
    "SHORT_BINBYTES",
    "BINBYTES",
    "SHORT_BINUNICODE",
    "BINUNICODE",
    "BINUNICODE8",
}
_STEPS = (
    "PROTO",
    "FRAME",
    "MARK",
    "BINPUT",
    "LONG_BINPUT",
    "EMPTY_DICT",
    "EMPTY_LIST",
    "EMPTY_SET",
    "EMPTY_TUPLE",
    "TUPLE",
    "TUPLE1",
    "TUPLE2",
    "TUPLE3",
    "SETITEM",
    "SETITEMS",
    "APPEND",
    "APPENDS",
    "ADDITEMS",
    "STACK_GLOBAL",
    "NEWOBJ",
    "BUILD",
)
_CONSTANTS = {"NONE": None, "NEWTRUE": True, "NEWFALSE": False}


class Record:
    """What stands in the file as an object: its state, and nothing that could run."""

    def __init__(self) -> None:
        self.state: Any = None


class SavedDocstore(Record):
    """LangChain's docstore in memory."""


class SavedDocument(Record):
    """A LangChain document."""


_ADMITTED = {
    ("langchain_community.docstore.in_memory", "InMemoryDocstore"): SavedDocstore,
    ("langchain_core.documents.base", "Document"): SavedDocument,
}


def read_pickle(data: bytes) -> Any:
    """Return what a pickle holds, objects as `Record`s.

    Raises:
        SourceError: an instruction, a class or a key that no saved FAISS needs.
        ValueError, TypeError, KeyError, IndexError, AttributeError: it is no whole pickle.
    """
    return _Machine(len(data)).run(data)


class _Machine:
    def __init__(self, size: int) -> None:
        self._size = size
        self._stack: list[Any] = []
        self._marks: list[int] = []
        self._memo: dict[int, Any] = {}
        self._steps = {name: getattr(self, f"_{name.lower()}") for name in _STEPS}

    def run(self, data: bytes) -> Any:
        stack, steps = self._stack, self._steps
        for opcode, argument, position in pickletools.genops(data):
            name = opcode.name
            if name in _VALUES:
                stack.append(argument)
            elif name == "MEMOIZE":
                self._memo[len(self._memo)] = stack[-1]
            elif name in ("BINGET", "LONG_BINGET"):
                stack.append(self._memo[int(argument or 0)])
            elif name in _CONSTANTS:
                stack.append(_CONSTANTS[name])
            elif name == "STOP":
                return stack.pop()
            else:
                step = steps.get(name)
                if step is None:
                    raise SourceError(
                        f"the pickle holds the instruction {name} at byte {position}, which no "
                        "saved FAISS needs; this file may be an attack. Nothing of it was run"
                    )
                step(argument)
        raise ValueError("it does not end")

    def _marked(self) -> list[Any]:
        """Take what stands above the last mark off the stack, and the mark."""
        place = self._marks.pop()
        taken = self._stack[place:]
        del self._stack[place:]
        return taken

    def _top(self, kind: type) -> Any:
        if type(self._stack[-1]) is not kind:
            raise TypeError(f"expected a {kind.__name__}")
        return self._stack[-1]

    def _proto(self, version: int) -> None:
        if version > 5:
            raise ValueError(f"of protocol {version}")

    def _frame(self, length: int) -> None:
        if length > self._size:
            raise ValueError("it is cut off")

    def _mark(self, _: None) -> None:
        self._marks.append(len(self._stack))

    def _binput(self, place: int) -> None:
        self._memo[place] = self._stack[-1]

    _long_binput = _binput

    def _empty_dict(self, _: None) -> None:
        self._stack.append({})

    def _empty_list(self, _: None) -> None:
        self._stack.append([])

    def _empty_set(self, _: None) -> None:
        self._stack.append(set())

    def _empty_tuple(self, _: None) -> None:
        self._stack.append(())

    def _tuple1(self, _: None) -> None:
        self._tuple_of(1)

    def _tuple2(self, _: None) -> None:
        self._tuple_of(2)

    def _tuple3(self, _: None) -> None:
        self._tuple_of(3)

    def _tuple_of(self, count: int) -> None:
        taken = self._stack[-count:]
        if len(taken) < count:
            raise ValueError("a value is missing")
        self._stack[-count:] = [tuple(taken)]

    def _tuple(self, _: None) -> None:
        taken = self._marked()
        self._stack.append(tuple(taken))

    def _setitem(self, _: None) -> None:
        value, key = self._stack.pop(), self._stack.pop()
        self._top(dict)[_key(key)] = value

    def _setitems(self, _: None) -> None:
        taken = self._marked()
        filled = self._top(dict)
        for key, value in zip(taken[::2], taken[1::2], strict=True):
            filled[_key(key)] = value

    def _append(self, _: None) -> None:
        value = self._stack.pop()
        self._top(list).append(value)

    def _appends(self, _: None) -> None:
        taken = self._marked()
        self._top(list).extend(taken)

    def _additems(self, _: None) -> None:
        taken = self._marked()
        self._top(set).update(map(_key, taken))

    def _stack_global(self, _: None) -> None:
        name, module = self._stack.pop(), self._stack.pop()
        if type(name) is not str or type(module) is not str or (module, name) not in _ADMITTED:
            raise SourceError(
                f"the pickle names {module!s:.80}.{name!s:.80}; a saved FAISS names only a "
                "docstore and documents, so this file may be an attack. Nothing of it was run"
            )
        self._stack.append(_ADMITTED[module, name])

    def _newobj(self, _: None) -> None:
        arguments, kind = self._stack.pop(), self._stack.pop()
        if arguments != () or kind not in _ADMITTED.values():
            raise TypeError("an object is made of something else than its class")
        self._stack.append(kind())

    def _build(self, _: None) -> None:
        state = self._stack.pop()
        made = self._stack[-1]
        if not isinstance(made, Record):
            raise TypeError("a state belongs to no object")
        made.state = state


def _key(key: Any) -> str | int | float | None:
    if type(key) is str or (type(key) is int and 0 <= key < _ROWS):
        return key
    if key is None or type(key) is bool:
        # Two or three of them: no harm in hashing one, and the metadata are refused by name later.
        return key
    raise SourceError(
        f"the pickle holds a key of the type {type(key).__name__}; a saved FAISS has texts and row "
        "numbers only"
    )
