"""Several studies after one ablation, as `ablation review` is given them."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

import click

from pipelines.cli.run import EXIT_GATE_FAILED, EXIT_PARTLY_FAILED, Progress, exit_codes
from pipelines.cli.site_rules import site_lines
from planner.errors import printable

if TYPE_CHECKING:
    from pipelines.ports import Review
    from pipelines.settings import Settings
    from pipelines.several import Several
    from pipelines.source import FolderSource
    from planner.errors import InputError
    from planner.guideline.catalogue import Catalogue


def review_posts(
    sources: tuple[FolderSource, ...],
    out: Path,
    settings: Settings,
    progress: Progress,
    catalogue: Catalogue,
    *,
    as_json: bool,
) -> NoReturn:
    """Review each post, keep and print what they add up to, and exit with the code that fits."""
    from pipelines.post_order import in_order
    from pipelines.several import review_several
    from pipelines.wire import keep_several, posts_store, review_folders
    from planner.report.table import table_text
    from planner.report.trend import trend_lines

    store = posts_store(out, progress.log)
    tables: list[str] = []

    def review_one(source: FolderSource) -> Review:
        begun = len(progress.lines)
        progress.note(f"study {source.number} of {source.posts} after the ablation")
        its_store = store.of_post(source.number, lambda: "".join(f"{line}\n" for line in progress.lines[begun:]))
        return review_folders(source, its_store, settings, progress, catalogue)

    def tell(number: int, ended: Review | InputError) -> None:
        if isinstance(ended, Exception):
            progress.failed(ended, f"study {number} after the ablation: ")
        else:
            lines = "".join(f"{printable(line)}\n" for line in site_lines(ended.assessment))
            tables.append(f"Study {number} after the ablation\n{table_text(ended.assessment)}{lines}")

    with exit_codes(progress, store.abandon):
        ordered = in_order(sources, progress)
        store.prepare(_inputs(sources))
        several = review_several(ordered, review_one, tell)
        keep_several(several, store)
    if as_json:
        _print_document(several)
    else:
        click.echo("\n".join((*tables, *trend_lines(several.trend))))
        click.echo(printable(f"report: {out.absolute() / 'report.html'}"))
    sys.exit(_exit_code(several))


def _inputs(sources: tuple[FolderSource, ...]) -> dict[str, Path]:
    """Return every study's path by what messages call it."""
    found: dict[str, Path] = {}
    for source in sources:
        stated = source.stated()
        pre, post = stated.path_of("pre") or source.pre, stated.path_of("post") or source.post
        named = {"PRE": pre, f"POST number {source.which}": post}
        found |= {name: path for name, path in named.items() if path is not None}
    return found


def _print_document(several: Several) -> None:
    from pipelines.store.result import result_bytes
    from pipelines.store.trend import trend_document

    click.echo(result_bytes(trend_document(several.trend, several.provenance)).decode("utf-8"), nl=False)


def _exit_code(several: Several) -> int:
    posts = several.trend.posts
    if any(post.status == "failed" for post in posts):
        return EXIT_PARTLY_FAILED
    gate_failed = any(lesion.status == "not_assessable" for post in posts for lesion in post.lesions)
    return EXIT_GATE_FAILED if gate_failed else 0
