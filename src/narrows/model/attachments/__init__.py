"""What is learned about a network's codes after it: small modules beside it, in the same model file."""

from narrows.model.attachments.attachment import Attachment
from narrows.model.attachments.map import MapHead

ATTACHMENTS: dict[str, type[Attachment]] = {"map": MapHead}
