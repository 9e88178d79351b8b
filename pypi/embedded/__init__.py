"""PostgreSQL and Redis that come as wheels and run on private sockets under the data folder."""

from pypi.embedded.errors import EmbeddedServerFailed
from pypi.embedded.postgres import Postgres
from pypi.embedded.redis import Redis
from pypi.embedded.servers import Servers, Urls

__all__ = ["EmbeddedServerFailed", "Postgres", "Redis", "Servers", "Urls"]
