"""Refusals of the generation context."""

from opora.core.kernel.errors import Conflict, Invalid, NotFound, Unavailable


class InvalidRequest(Invalid):
    """This text cannot be asked for: a field is out of its bounds."""

    code = "invalid_text_request"


class InvalidVariables(Invalid):
    """The variables are not those that the prompt declares."""

    code = "invalid_variables"


class InvalidPrompt(Invalid):
    """This prompt cannot be published."""

    code = "invalid_prompt"


class InvalidTemplate(Invalid):
    """The template cannot be read."""

    code = "invalid_template"


class NoSuchPrompt(NotFound):
    """No prompt has this id or name, or it has no such version."""

    code = "no_such_prompt"


class PromptExists(Conflict):
    """Another prompt has this name; publish a version of it instead."""

    code = "prompt_exists"


class LabelInUse(Conflict):
    """This label is what callers get who name no version: it can be moved but not taken away."""

    code = "label_in_use"


class NoSuchModel(NotFound):
    """No engine has a model of this name."""

    code = "model_not_found"


class NoSuchText(NotFound):
    """No generation has this id, or it is not yours."""

    code = "no_such_text"


class TextCancelled(Conflict):
    """The generation was cancelled."""

    code = "text_cancelled"


class EngineUnavailable(Unavailable):
    """No engine that writes text answers."""

    code = "engine_unavailable"


class EngineBusy(EngineUnavailable):
    """The engine that writes text asks to be left alone for a while."""

    code = "engine_busy"


class EngineRefused(Invalid):
    """The engine refuses to write this."""

    code = "engine_refused"
