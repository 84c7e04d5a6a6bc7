"""What a page needs to move its pictures: scripts of the program, and the data they show."""

from __future__ import annotations

import base64
import hashlib
from dataclasses import dataclass

from markupsafe import Markup


@dataclass(frozen=True, slots=True)
class Viewer:
    """An interactive viewer of a case, as a page holds it.

    Parameters
    ----------
    scripts
        The program's own scripts and its library's, in the order in which they run. Only these run: the page's content
        policy names their hashes.
    css
        The style sheet of its controls.
    data
        What it shows, a JSON document in plain ASCII without "<".
    notices
        Licence notices of what is inlined.
    """

    scripts: tuple[str, ...]
    css: str
    data: str
    notices: tuple[str, ...]

    def __post_init__(self) -> None:
        """Refuse what would end its own element: it could be read as markup.

        Raises
        ------
        ValueError
            A script holds an end tag or the start of a comment, or the data a "<".
        """
        if any("</script" in script.lower() or "<!--" in script for script in self.scripts):
            raise ValueError("a script of the viewer holds an end tag or a comment, expected neither")
        if "<" in self.data or not self.data.isascii():
            raise ValueError('the data of the viewer hold "<" or characters beyond ASCII, expected neither')

    @property
    def hashes(self) -> tuple[Markup, ...]:
        """Return the hash of each script as a content policy names it."""
        digests = (hashlib.sha256(script.encode("utf-8")).digest() for script in self.scripts)
        # Base64 holds no character that HTML reads as markup.
        return tuple(Markup(f"'sha256-{base64.b64encode(one).decode('ascii')}'") for one in digests)  # noqa: S704

    @property
    def trusted_scripts(self) -> tuple[Markup, ...]:
        """Return the scripts as they stand in the page: the program's own, and held to the hashes above."""
        return tuple(Markup(script) for script in self.scripts)  # noqa: S704 - see above

    @property
    def trusted_data(self) -> Markup:
        """Return the data as they stand in the page: without any character that ends their element."""
        return Markup(self.data)  # noqa: S704 - see above
