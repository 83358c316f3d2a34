"""The prompts: a related-work paragraph, a reading plan."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any

from mcp.server.mcpserver import MCPServer
from mcp.server.mcpserver.prompts.base import Prompt, UserMessage
from mcp.shared.exceptions import MCPError
from mcp_types import (
    INVALID_PARAMS,
)
from pydantic import Field

from swimmer.errors import SwimmerError
from swimmer.mcp_server.tools import stores_named
from swimmer.store import StorePool
from swimmer.toolkit import (
    reading_plan_prompt,
    related_work_prompt,
)

PromptNumber = Annotated[str, Field(description="How many papers it is given.")]
PromptStore = Annotated[
    str, Field(description="The store; by default the one that the user set, else the newest.")
]


class PaperPrompt(Prompt):
    """A prompt that says which argument is missing or not known, as the tools do."""

    async def render(self, arguments: dict[str, Any] | None, context: Any) -> Any:
        """Return the messages; MCPError says what is wrong with the arguments."""
        known = self.arguments or []
        given = arguments or {}
        wrong = [
            f"{one.name} is missing" for one in known if one.required and one.name not in given
        ]
        names = [one.name for one in known]
        wrong += [f"there is no argument {name[:60]!r}" for name in given if name not in names]
        if wrong:
            raise MCPError(INVALID_PARAMS, f"{'; '.join(wrong)}; there is {', '.join(names)}")
        return await super().render(arguments, context)


def add_prompts(server: MCPServer[dict[str, object]], pool: StorePool) -> None:
    """Add the prompts to a server."""

    def messages(
        prompt: Callable[..., list[str]], about: str, papers: str, store: str, **given: Any
    ) -> list[UserMessage]:
        # The arguments of a prompt are texts.
        try:
            number: dict[str, Any] = {"k": int(papers)} if papers.strip() else {}
            texts = prompt(stores_named(pool, [store] if store else []), about, **number, **given)
        except SwimmerError as error:
            raise MCPError(INVALID_PARAMS, error.full_text) from None
        except ValueError:
            raise MCPError(
                INVALID_PARAMS, f"papers is a whole number, got {papers[:40]!r}"
            ) from None
        return [UserMessage(text) for text in texts]

    def related_work(
        title: Annotated[str, Field(description="The title of the new paper, or its topic.")],
        papers: PromptNumber = "",
        store: PromptStore = "",
    ) -> list[UserMessage]:
        return messages(related_work_prompt, title, papers, store)

    def reading_plan(
        topic: Annotated[str, Field(description="The topic, in any words.")],
        author: Annotated[str, Field(description="Only papers of this author.")] = "",
        papers: PromptNumber = "",
        store: PromptStore = "",
    ) -> list[UserMessage]:
        return messages(reading_plan_prompt, topic, papers, store, author=author)

    server.add_prompt(
        PaperPrompt.from_function(
            related_work,
            title="Related work",
            description="The related-work paragraph of a paper, out of the papers most like it.",
        )
    )
    server.add_prompt(
        PaperPrompt.from_function(
            reading_plan,
            title="Reading plan",
            description="In which order to read the papers about a topic, and why.",
        )
    )
