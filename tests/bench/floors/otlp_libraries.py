"""Peer of one collection: the usual libraries loaded (psutil, OpenTelemetry's messages), six figures read,
one request of one gauge each written.
"""

import time

import psutil
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest

disk, memory = psutil.disk_usage("/"), psutil.virtual_memory()
figures = {
    "disk.total": disk.total,
    "disk.free": disk.free,
    "memory.total": memory.total,
    "memory.available": memory.available,
    "cpu": int(sum(psutil.cpu_times())),
    "boot": int(psutil.boot_time()),
}
request = ExportMetricsServiceRequest()
scope = request.resource_metrics.add().scope_metrics.add()
for name, value in figures.items():
    metric = scope.metrics.add()
    metric.name = name
    point = metric.gauge.data_points.add()
    point.as_int, point.time_unix_nano = value, time.time_ns()
print(len(request.SerializeToString()))
