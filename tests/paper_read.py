"""A PDF as a reader of its tags meets it: tree, texts in order, and what stands outside every tag."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from io import BytesIO

import pikepdf

PAINTING = {"Tj", "TJ", "'", '"', "Do", "sh", "S", "s", "f", "F", "f*", "B", "B*", "b", "b*", "EI", "INLINE IMAGE"}
MARKS = str.maketrans("", "", "\u200b\u200e")


@dataclass
class Tag:
    """An element of the structure: its type, attributes and children; a text where it holds some itself."""

    kind: str
    alt: str = ""
    scopes: tuple[str, ...] = ()
    children: list[Tag | str] = field(default_factory=list)

    def all(self, *kinds: str) -> list[Tag]:
        """Return this element and those below it that are of some kinds, in reading order."""
        below = [found for child in self.children if isinstance(child, Tag) for found in child.all(*kinds)]
        return [self, *below] if self.kind in kinds or not kinds else below

    @property
    def text(self) -> str:
        return "".join(child if isinstance(child, str) else child.text for child in self.children)


class PaperRead:
    """A PDF opened for reading by its tags."""

    def __init__(self, content: bytes) -> None:
        self.pdf = pikepdf.open(BytesIO(content))
        self.loose: list[str] = []
        self.artifacts: list[str] = []
        self.marked: dict[tuple[int, int], str] = {}
        for page in self.pdf.pages:
            self._read(page)
        self.pages_in_order: list[int] = []
        self._numbers = {page.obj.objgen[0]: number for number, page in enumerate(self.pdf.pages)}
        self.tree = self._tag(self.pdf.Root.StructTreeRoot.K)

    def page_of(self, number: int) -> str:
        """Return what the tags of a page say, pages counted from 1."""
        of_page = self.pdf.pages[number - 1].obj.objgen[0]
        return "".join(text for (page, _), text in self.marked.items() if page == of_page).translate(MARKS)

    def fonts(self) -> Iterator[pikepdf.Object]:
        for one in self.pdf.objects:
            if isinstance(one, pikepdf.Dictionary) and one.get("/Type") == "/Font" and "/DescendantFonts" in one:
                yield one

    def _read(self, page: pikepdf.Page) -> None:
        """Follow the content of a page and keep what each marked piece shows; note what is in none."""
        fonts = {name: _unicode(font) for name, font in page.resources.get("/Font", {}).items()}
        stack: list[tuple[str, int | None, bool]] = []
        current: dict[int, str] = {}
        artifact = ""
        for operands, operator in pikepdf.parse_content_stream(page):
            name = str(operator)
            if name in ("BDC", "BMC"):
                stack.append(_mark(operands))
                said = stack[-1][0]
            elif name == "EMC":
                stack.pop()
            elif name == "Tf":
                current = fonts[str(operands[0])]
            elif name in PAINTING and not stack:
                self.loose.append(f"{name} {operands}")
            if name not in ("Tj", "TJ", "BDC"):
                continue
            said = stack[-1][0] if name == "BDC" else "" if _replaced(stack) else _shown(operands, current)
            place = next((mcid for _, mcid, _ in reversed(stack) if mcid is not None), None)
            if place is not None:
                key = (page.obj.objgen[0], place)
                self.marked[key] = self.marked.get(key, "") + said
            else:
                artifact += said
        self.artifacts.append(artifact)

    def _tag(self, element: pikepdf.Object, page: int = 0) -> Tag:
        if isinstance(element, pikepdf.Array):
            assert len(element) == 1
            element = element[0]
        tag = Tag(str(element.S)[1:], str(element.get("/Alt", "")), tuple(_scopes(element)))
        page = element.Pg.objgen[0] if "/Pg" in element else page
        children = element.get("/K", [])
        for child in children if isinstance(children, pikepdf.Array) else [children]:
            if isinstance(child, int) or "/MCID" in child:
                where = child.Pg.objgen[0] if not isinstance(child, int) and "/Pg" in child else page
                mcid = child if isinstance(child, int) else int(child.MCID)
                self.pages_in_order.append(self._numbers[where])
                tag.children.append(self.marked.get((where, mcid), ""))
            elif child.get("/Type") != "/OBJR":
                tag.children.append(self._tag(child, page))
        return tag


def pdf_text(content: bytes) -> str:
    """Return everything that a PDF says: its title, what is tagged, alternatives, head and foot of its pages."""
    read = PaperRead(content)
    alternatives = (tag.alt for tag in read.tree.all("Figure"))
    return "\n".join((str(read.pdf.docinfo), read.tree.text, *alternatives, *read.artifacts))


def _mark(operands: list[pikepdf.Object]) -> tuple[str, int | None, bool]:
    """Return a piece's replacement text, its number, and whether it has such a text."""
    properties = operands[1] if len(operands) > 1 and isinstance(operands[1], pikepdf.Dictionary) else {}
    mcid = properties.get("/MCID")
    instead = properties.get("/ActualText")
    return str(instead or ""), None if mcid is None else int(mcid), instead is not None


def _replaced(stack: list[tuple[str, int | None, bool]]) -> bool:
    return any(replaced for _, _, replaced in stack)


def _shown(operands: list[pikepdf.Object], font: dict[int, str]) -> str:
    parts = operands[0] if isinstance(operands[0], pikepdf.Array) else [operands[0]]
    said = ""
    for part in parts:
        if isinstance(part, pikepdf.String):
            codes = bytes(part)
            said += "".join(font[codes[n] << 8 | codes[n + 1]] for n in range(0, len(codes), 2))
    return said


def _scopes(element: pikepdf.Object) -> Iterator[str]:
    attributes = element.get("/A", [])
    for one in attributes if isinstance(attributes, pikepdf.Array) else [attributes]:
        if "/Scope" in one:
            yield str(one.Scope)


def _unicode(font: pikepdf.Object) -> dict[int, str]:
    """Return what text each code of a font stands for, by its ToUnicode map."""
    table = font.ToUnicode.read_bytes().decode("latin-1")
    found: dict[int, str] = {}
    for block in re.findall(r"beginbfchar(.*?)endbfchar", table, re.DOTALL):
        for code, text in re.findall(r"<(\w+)>\s*<(\w+)>", block):
            found[int(code, 16)] = bytes.fromhex(text).decode("utf-16-be")
    for block in re.findall(r"beginbfrange(.*?)endbfrange", table, re.DOTALL):
        for first, last, text in re.findall(r"<(\w+)>\s*<(\w+)>\s*<(\w+)>", block):
            start = bytes.fromhex(text).decode("utf-16-be")
            for place in range(int(last, 16) - int(first, 16) + 1):
                found[int(first, 16) + place] = start[:-1] + chr(ord(start[-1]) + place)
    return found
