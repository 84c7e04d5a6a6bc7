"""Where finished reviews go: a folder per case."""

from pipelines.store.folder import FolderStore
from pipelines.store.result import result_bytes, result_document

__all__ = ["FolderStore", "result_bytes", "result_document"]
