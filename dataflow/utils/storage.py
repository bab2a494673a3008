"""The import path of open-dataflow 1.x; see `dataflow.storage`."""

from dataflow.storage import (
    BatchedFileStorage as BatchedFileStorage,
)
from dataflow.storage import (
    DataFlowStorage as DataFlowStorage,
)
from dataflow.storage import (
    DummyStorage as DummyStorage,
)
from dataflow.storage import (
    FileStorage as FileStorage,
)
from dataflow.storage import (
    InMemoryStorage as InMemoryStorage,
)
from dataflow.storage import (
    LazyFileStorage as LazyFileStorage,
)
from dataflow.storage import (
    MemoryStorage as MemoryStorage,
)
from dataflow.storage import (
    StreamBatchedFileStorage as StreamBatchedFileStorage,
)
