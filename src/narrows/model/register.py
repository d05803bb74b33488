"""Parts of one's own, beside those of the menus."""

from __future__ import annotations

from typing import Any

from narrows.errors import SpecError, did_you_mean
from narrows.model.attachments import ATTACHMENTS, Attachment
from narrows.model.backbone import Backbone
from narrows.model.bottleneck import Bottleneck
from narrows.model.corruption import Corruption
from narrows.model.loss import Loss
from narrows.model.network import MENUS
from narrows.model.scaling import Scaling
from narrows.spec import Part, find_names, name_of

KINDS: dict[str, type[Part]] = {
    "backbone": Backbone,
    "bottleneck": Bottleneck,
    "corruption": Corruption,
    "loss": Loss,
    "scaling": Scaling,
    "attachment": Attachment,
}
BUILT_IN = {kind: frozenset(menu) for kind, menu in MENUS.items()} | {"attachment": frozenset(ATTACHMENTS)}


def register(kind: str, part: type[Any]) -> None:
    """Add a part or an attachment of your own to its menu, so that texts and model files know it.

    Its name is that of the class in lower case, or its attribute `spelling`. To register a class again replaces the
    former one. A model file that names it opens only where it is registered. The command line lists parts.

    Parameters
    ----------
    kind : "backbone", "bottleneck", "corruption", "loss", "scaling" or "attachment".
    part : a subclass of that kind's abstract class, which stores every argument under its own name.

    Raises SpecError for another kind, for a class of another kind or an abstract one, for a name that narrows has
    itself or that no text can have, and for an attachment whose version is no whole number.

    Examples
    --------
    >>> from narrows.model.bottleneck import Bottleneck, Code
    >>> class Halved(Bottleneck):
    ...     def __init__(self, size=8):
    ...         super().__init__()
    ...         self.size = self.features_in = self.features_out = size
    ...     def forward(self, h, generator=None):
    ...         return Code(h / 2, h.new_zeros(len(h)))
    >>> register("bottleneck", Halved)
    >>> from narrows.model.network import build_part
    >>> build_part("bottleneck", "halved(3)")
    halved(3)
    >>> del MENUS["bottleneck"]["halved"]  # and it is unknown again
    """
    if kind not in KINDS:
        raise SpecError(f"there is no kind of part {kind!r}; {did_you_mean(kind, KINDS)}")
    if not (isinstance(part, type) and issubclass(part, KINDS[kind])):
        raise SpecError(f"every {kind} is a subclass of {KINDS[kind].__name__}, however: {part!r}")
    name = name_of(part)
    if not _can_be_read(name, kind):
        raise SpecError(
            f"a name in texts is one word of letters, digits and _, however: {name!r}; give another, by the attribute "
            f"`spelling`"
        )
    if kind == "attachment" and type(getattr(part, "version", None)) is not int:
        raise SpecError(
            f"the version of an attachment is a whole number, however {part.__name__} has none; set it to 1"
        )
    if name in BUILT_IN[kind]:
        raise SpecError(
            f"the {kind} {name!r} is one of narrows itself; give yours another name, by its attribute `spelling`"
        )
    if missing := sorted(getattr(part, "__abstractmethods__", ())):
        raise SpecError(f"every {kind} has a method {missing[0]!r}, however {part.__name__} has none; write it")
    menu: dict[str, Any] = ATTACHMENTS if kind == "attachment" else MENUS[kind]
    menu[name] = part


def _can_be_read(name: str, kind: str) -> bool:
    """Return whether a text can name a part so: a file that could not be opened again would be a model lost."""
    try:
        return find_names(f"{name}()", kind) == [name]
    except SpecError:
        return False
