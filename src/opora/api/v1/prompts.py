"""HTTP face of prompts: made, published in versions, labelled, looked at before anybody is told them."""

from datetime import datetime
from typing import Annotated, Any

import msgspec
from dishka import FromDishka
from litestar import Controller, Request, Response, delete, get, post, put
from litestar.params import FromPath, JSONBody

from opora.api import values
from opora.api.locations import made
from opora.api.loose import refuse_unsound
from opora.api.pages import Envelope, PageLimit, PageNumber, envelope, page_request
from opora.api.policy import UNREPEATABLE, needs
from opora.core.generation.errors import NoSuchPrompt
from opora.core.generation.model.engines import Message, Speaker
from opora.core.generation.model.prompts import PRODUCTION, Draft, Prompt, PromptVersion, Variable
from opora.core.generation.ports.prompts import PromptViews
from opora.core.generation.usecases.prompts import MakePrompt, MoveLabel, PreviewPrompt, PublishVersion
from opora.core.kernel.model import Actor

TemplateText = Annotated[str, msgspec.Meta(min_length=1, max_length=20_000, pattern=values.TEXT_PATTERN)]
SystemText = Annotated[str, msgspec.Meta(max_length=20_000, pattern=values.TEXT_PATTERN)]
VariableName = Annotated[str, msgspec.Meta(min_length=1, max_length=40)]
TOKENS = {"minimum": 1, "maximum": 32_768}


class DeclaredVariable(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A variable; one with a `default` may be left out."""

    name: VariableName
    default: SystemText | None = None
    max_length: values.Positive = 10_000
    description: values.Text = ""


class NewVersion(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A version to publish; `labels` will point to it. A variable is a name, or a name with more about it."""

    template: TemplateText
    variables: list[VariableName | DeclaredVariable] = msgspec.field(default_factory=list)
    system: SystemText = ""
    max_tokens: Annotated[int, msgspec.Meta(extra_json_schema=TOKENS)] = 512
    labels: list[Annotated[str, msgspec.Meta(max_length=32)]] = msgspec.field(default_factory=lambda: [PRODUCTION])


class NewPrompt(NewVersion, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A prompt with its first version; `name` is the `function` of texts."""

    name: values.Label
    description: values.Text = ""


class Preview(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Values to look at a version with; without `version` it is the one that `production` points to."""

    variables: dict[str, str | int | float | bool] = msgspec.field(default_factory=dict)
    version: values.Positive | None = None


class LabelPlace(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The version that a label is to point to."""

    version: values.Positive


class ShownPrompt(msgspec.Struct, frozen=True):
    """A prompt; `version` is its newest, `labels` maps each label to its version."""

    id: int
    name: str
    description: str
    version: int
    labels: dict[str, int]
    created_at: datetime


class ShownVersion(msgspec.Struct, frozen=True):
    """One version, which never changes."""

    id: int
    version: int
    template: str
    system: str
    variables: list[DeclaredVariable]
    max_tokens: int
    created_at: datetime
    created_by: str


class PromptInFull(msgspec.Struct, frozen=True):
    """A prompt with the version that callers get."""

    id: int
    name: str
    description: str
    version: int
    labels: dict[str, int]
    created_at: datetime
    production: ShownVersion


class PreviewedMessage(msgspec.Struct, frozen=True):
    """What an engine would be told."""

    role: Speaker
    content: str


class Previewed(msgspec.Struct, frozen=True):
    """A rendered version: `text` is what the template makes, `messages` all that an engine would be told."""

    text: str
    messages: list[PreviewedMessage]


class PromptController(Controller):
    """Prompts."""

    path = "/prompts"
    tags = ["Prompts"]  # noqa: RUF012  # Litestar reads a plain list

    @get(opt=needs("prompts:read"))
    async def prompts(
        self,
        request: Request[Any, Any, Any],
        views: FromDishka[PromptViews],
        limit: PageLimit = 50,
        page: PageNumber = 1,
    ) -> Envelope[ShownPrompt]:
        """List prompts by name."""
        found = await views.page(page_request(limit, page))
        return envelope(found.shown_as(shown), request.url)

    @post(status_code=201, opt=needs("prompts:write"))
    async def make(
        self, data: JSONBody[NewPrompt], actor: FromDishka[Actor], make_prompt: FromDishka[MakePrompt]
    ) -> Response[ShownPrompt]:
        """Make a prompt with its first version, which `production` points to."""
        prompt = await make_prompt(actor, data.name, data.description, draft_of(data))
        return made(shown(prompt), f"/prompts/{prompt.id}")

    @get("/{prompt_id:int}", opt=needs("prompts:read"))
    async def prompt(self, prompt_id: FromPath[int], views: FromDishka[PromptViews]) -> PromptInFull:
        """Read a prompt with the version that callers get."""
        prompt = await views.one(prompt_id)
        version = None if prompt is None else await views.version(prompt_id, prompt.labels[PRODUCTION])
        if prompt is None or version is None:
            raise NoSuchPrompt(prompt_id=prompt_id)
        told = shown(prompt)
        return PromptInFull(**msgspec.structs.asdict(told), production=shown_version(version))

    @get("/{prompt_id:int}/versions", opt=needs("prompts:read"))
    async def versions(
        self,
        request: Request[Any, Any, Any],
        prompt_id: FromPath[int],
        views: FromDishka[PromptViews],
        limit: PageLimit = 50,
        page: PageNumber = 1,
    ) -> Envelope[ShownVersion]:
        """List the versions of a prompt, the newest first."""
        found = await views.versions(prompt_id, page_request(limit, page))
        if not found.count:
            raise NoSuchPrompt(prompt_id=prompt_id)
        return envelope(found.shown_as(shown_version), request.url)

    @post("/{prompt_id:int}/versions", status_code=201, opt=needs("prompts:write"))
    async def publish(
        self,
        prompt_id: FromPath[int],
        data: JSONBody[NewVersion],
        actor: FromDishka[Actor],
        publish_version: FromDishka[PublishVersion],
    ) -> Response[ShownPrompt]:
        """Publish another version; `"labels": []` publishes it without anybody getting it yet."""
        prompt = await publish_version(actor, prompt_id, draft_of(data))
        return made(shown(prompt), f"/prompts/{prompt.id}/versions/{prompt.versions}")

    @get("/{prompt_id:int}/versions/{version:int}", opt=needs("prompts:read"))
    async def version(
        self, prompt_id: FromPath[int], version: FromPath[int], views: FromDishka[PromptViews]
    ) -> ShownVersion:
        """Read one version."""
        found = await views.version(prompt_id, version)
        if found is None:
            raise NoSuchPrompt(prompt_id=prompt_id, prompt_version=version)
        return shown_version(found)

    @put("/{prompt_id:int}/labels/{label:str}", opt=needs("prompts:write"))
    async def point(
        self,
        prompt_id: FromPath[int],
        label: FromPath[str],
        data: JSONBody[LabelPlace],
        actor: FromDishka[Actor],
        move_label: FromDishka[MoveLabel],
    ) -> ShownPrompt:
        """Let a label point to a version; `production` moved back is a rollback."""
        return shown(await move_label(actor, prompt_id, label, data.version))

    @delete("/{prompt_id:int}/labels/{label:str}", status_code=200, opt=needs("prompts:write"))
    async def unpoint(
        self,
        prompt_id: FromPath[int],
        label: FromPath[str],
        actor: FromDishka[Actor],
        move_label: FromDishka[MoveLabel],
    ) -> ShownPrompt:
        """Take a label away."""
        return shown(await move_label(actor, prompt_id, label, None))

    @post("/{prompt_id:int}/preview", status_code=200, opt={**needs("prompts:read"), **UNREPEATABLE})
    async def preview(
        self, prompt_id: FromPath[int], data: JSONBody[Preview], preview_prompt: FromDishka[PreviewPrompt]
    ) -> Previewed:
        """See what an engine would be told; nobody is told it."""
        refuse_unsound("variables", data.variables)
        messages = await preview_prompt(prompt_id, data.version, data.variables)
        return Previewed(messages[-1].content, [previewed(one) for one in messages])


def draft_of(data: NewVersion) -> Draft:
    """Return a version as it is to be published."""
    variables = tuple(
        Variable(name=one)
        if isinstance(one, str)
        else Variable(name=one.name, default=one.default, max_length=one.max_length, description=one.description)
        for one in data.variables
    )
    return Draft(
        template=data.template,
        system=data.system,
        variables=variables,
        max_tokens=data.max_tokens,
        labels=tuple(dict.fromkeys(data.labels)),
    )


def previewed(message: Message) -> PreviewedMessage:
    """Return a message as it stands on the wire."""
    return PreviewedMessage(message.role, message.content)


def shown(prompt: Prompt) -> ShownPrompt:
    """Return a prompt as it stands on the wire."""
    return ShownPrompt(prompt.id, prompt.name, prompt.description, prompt.versions, prompt.labels, prompt.created_at)


def shown_version(version: PromptVersion) -> ShownVersion:
    """Return a version as it stands on the wire."""
    return ShownVersion(
        id=version.prompt_id,
        version=version.version,
        template=version.template,
        system=version.system,
        variables=[
            DeclaredVariable(one.name, one.default, one.max_length, one.description) for one in version.variables
        ],
        max_tokens=version.max_tokens,
        created_at=version.created_at,
        created_by=version.created_by,
    )
