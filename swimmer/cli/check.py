"""`swimmer check`: a bibliography against the stores."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING

import click

from swimmer.cli.completion import complete_stores
from swimmer.cli.output import warn
from swimmer.text import printable

if TYPE_CHECKING:
    from swimmer.analysis import CheckedReference, References


@click.command("check")
@click.argument("bibliography")
@click.option(
    "--store",
    "-s",
    "names",
    multiple=True,
    metavar="NAME",
    shell_complete=complete_stores,
    help="Store to check against; may be given again. All your stores by default.",
)
@click.option(
    "--output", "-o", metavar="FILE", help="Write the .bib file with published papers to FILE."
)
@click.option("--strict", is_flag=True, help="Exit with 1 unless all are found as they stand.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object for each reference.")
def check_command(
    bibliography: str, names: tuple[str, ...], output: str | None, strict: bool, as_json: bool
) -> None:
    """Check each reference of a BIBLIOGRAPHY against your stores.

    Each is found as it stands; found with another title, year or authors; a preprint whose
    published version a store has; or not in these stores, which says nothing against it.
    BIBLIOGRAPHY is a .bib file, another list of papers, a .txt file with references as a paper
    lists them, or a .tex file, of which the cited references are checked.

    \b
    swimmer check refs.bib
    swimmer check paper.tex --store iclr2024 --store iclr2025 --strict
    swimmer check refs.bib -o fixed.bib
    """
    from swimmer.analysis import check_references, corrected_bibliography, read_references
    from swimmer.errors import QueryError
    from swimmer.retrieval import open_stores

    if output is not None and Path(bibliography).suffix.lower() != ".bib":
        raise QueryError(
            f"{bibliography}: -o writes a .bib file again, and this is none",
            hint="give the .bib file, or leave out -o",
        )
    references = read_references(bibliography)
    with open_stores(names, not names) as stores:
        checked = check_references(stores, references.papers)
        searched = ", ".join(store.name for store in stores)
    for place, reason in references.unreadable:
        warn(f"{place}: {reason}")
    if output is not None:
        from swimmer.export import write_text

        write_text(output, corrected_bibliography(bibliography, checked))
    if as_json:
        for one in checked:
            click.echo(json.dumps(one.to_dict(), ensure_ascii=False))
    else:
        click.echo("\n".join(_lines(references, checked, searched, output)))
    if strict and any(one.verdict != "found" for one in checked):
        raise click.exceptions.Exit(1)


def _lines(
    references: References, checked: list[CheckedReference], searched: str, output: str | None
) -> list[str]:
    from swimmer.analysis import VERDICTS

    uncited = f" ({references.uncited:,} that are not cited left out)" if references.uncited else ""
    noun = "reference" if len(checked) == 1 else "references"
    lines = [f"{len(checked):,} {noun}{uncited}, checked against {searched}"]
    counts = Counter(one.verdict for one in checked)
    for verdict, meaning in VERDICTS.items():
        if not counts[verdict]:
            continue
        lines += ["", f"{meaning} ({counts[verdict]:,})" + (":" if verdict != "found" else "")]
        if verdict != "found":
            for one in checked:
                if one.verdict == verdict:
                    lines += _about(one)
    if output is not None:
        lines += ["", f"written to {output}; entries replaced: {counts['published']:,}"]
    return [printable(line) for line in lines]


def _about(one: CheckedReference) -> list[str]:
    from swimmer.papers import venue_and_year

    lines = [f"  {one.reference.id}  {one.reference.display_title}"]
    if one.verdict == "published" and one.paper is not None:
        lines.append(f"      {venue_and_year(one.paper)}  {one.paper.url}".rstrip())
    for difference in one.differences:
        lines.append(f"      {difference.field}: {difference.given}")
        where = f"{one.store}: "
        lines.append(f"      {where:>{len(difference.field) + 2}}{difference.known}")
    return lines
