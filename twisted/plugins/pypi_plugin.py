"""Makes ``twistd pypi`` known."""

from twisted.application.service import ServiceMaker

service_maker = ServiceMaker(
    "Cheeseshop", "pypi.service", "A Python package index: caches in front, PostgreSQL behind.", "pypi"
)
