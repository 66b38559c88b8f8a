"""Text generation and the event bus."""

from typing import Annotated

from opora.bootstrap.settings.about import about
from opora.bootstrap.settings.billing import BillingSettings


class GenerationSettings(BillingSettings, frozen=True, kw_only=True):
    """The part of the settings that `generation` reads."""

    text_fallback: Annotated[
        str,
        about(
            "generation",
            "Engines that are asked in turn when the first fails, comma-separated. The key of one named `anthropic` is"
            " `OPORA_TEXT_ENGINE_ANTHROPIC_KEY`, and so on.",
            form="labels",
        ),
    ] = ""
    text_first_s: Annotated[
        int, about("generation", "Seconds an engine may take to its first word.", ge=1, le=3600)
    ] = 30
    text_idle_s: Annotated[int, about("generation", "Seconds an engine may be silent in between.", ge=1, le=3600)] = 20
    text_total_s: Annotated[int, about("generation", "Seconds a text may take altogether.", ge=1, le=86_400)] = 300
    text_tries: Annotated[int, about("generation", "Calls of one engine before the next is asked.", ge=1, le=10)] = 2
    text_rounds: Annotated[
        int, about("generation", "Rounds through all engines before a text is given up.", ge=1, le=50)
    ] = 4
    text_short_tokens: Annotated[
        int, about("generation", "The longest text, in tokens, that a call with `auto` waits for.", ge=1, le=32_768)
    ] = 1024
    text_wait_s: Annotated[
        int, about("generation", "Seconds a call waits for its text before it is told where to fetch it.", ge=1, le=120)
    ] = 30
    text_cache_s: Annotated[
        int, about("generation", "Seconds a text serves equal requests of its owner; 0 is never.", ge=0, le=86_400)
    ] = 300
    text_inline: Annotated[
        int, about("generation", "Texts that a process of the service writes itself at once.", ge=0, le=1000)
    ] = 32
