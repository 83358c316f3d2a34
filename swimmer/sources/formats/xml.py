"""XML from outside, read without document types, entities or anything outside of it."""

from __future__ import annotations

from typing import Any

from swimmer.errors import IncompleteError, SourceError


def parse_xml(body: bytes | str, where: str) -> Any:
    """Return the root `xml.etree.ElementTree.Element` of a document; `where` is for messages.

    Raises:
        IncompleteError: the document ends too early.
        SourceError: it has a document type (the door to entities), or is not well-formed.
    """
    import xml.etree.ElementTree as plain

    from defusedxml import ElementTree
    from defusedxml.common import DefusedXmlException

    try:
        return ElementTree.fromstring(body, forbid_dtd=True)
    except DefusedXmlException:
        raise SourceError(
            f"{where}: XML with a document type or entities; refused",
            hint="a list of papers needs neither; export it again as XML, BibTeX or CSV",
        ) from None
    except plain.ParseError as error:
        # 3: no element found, 5: unclosed token; both mean that the end is missing.
        if error.code in (3, 5):
            raise IncompleteError(
                f"{where}: the XML is cut off ({error})", hint="download the file again"
            ) from None
        raise SourceError(
            f"{where}: not well-formed XML ({error})", hint="download or export the file again"
        ) from None
    except (ValueError, LookupError) as error:
        raise SourceError(
            f"{where}: XML in an unknown encoding ({error})", hint="save the file as UTF-8"
        ) from None


def flat_text(element: Any) -> str:
    """Return the text of an element of mixed content: `<fixed-case>A</fixed-case>dap` is `Adap`.

    `<tex-math>` becomes `$…$`, `<br/>` a space.
    """
    if element is None:
        return ""
    parts: list[str] = []
    # Without recursion: elements may be nested deeper than Python's stack is.
    left: list[Any] = [element]
    while left:
        step = left.pop()
        if isinstance(step, str):
            parts.append(step)
            continue
        tag = str(step.tag).rpartition("}")[2]
        before, after = {"tex-math": ("$", "$"), "br": ("", " ")}.get(tag, ("", ""))
        parts.append(before + (step.text or ""))
        left.append(after)
        for child in reversed(step):
            left += [child.tail or "", child]
    return "".join(parts)
