"""Why no reply was read: no connection, a bad certificate, a proxy's refusal, a body in another encoding."""

from collections.abc import Callable
from typing import TYPE_CHECKING

from personamath.files import in_one_line
from personamath.teachers.refusals import Retry

if TYPE_CHECKING:
    import aiohttp

# To open a connection. A slow model is given the whole time-out; an address that drops packets is not.
CONNECT_TIMEOUT_S = 15.0
UNREACHABLE = "unreachable"
# Perhaps this machine was too busy, or asleep: then it sees the time-out before it sees the connection.
NO_CONNECTION = "no connection"


def trouble(name: str, error: "aiohttp.ClientError | OSError", shown: Callable[[str], str]) -> Retry:
    """The failed try of a request to the endpoint `name`, with what went wrong.

    `shown` prepares what the other side sent: it may hold the key.
    """
    import aiohttp

    if what := _unreachable(error):
        timed_out = isinstance(error, aiohttp.ConnectionTimeoutError)
        return Retry(NO_CONNECTION if timed_out else UNREACHABLE, f"{name}: {what}")
    if isinstance(error, aiohttp.ClientHttpProxyError):
        return Retry(UNREACHABLE, f"{name}: the proxy answered {error.status} ({shown(error.message)})")
    if what := _undecodable(error, shown):
        remedy = "let the endpoint, or what stands before it, compress with gzip or not at all"
        return Retry("malformed body", f"{name} answered with {what}", remedy=remedy)
    return Retry("connection lost", f"{name}: {type(error).__name__}")


def _unreachable(error: Exception) -> str:
    """Why there is no connection; empty if there was one."""
    import aiohttp

    if isinstance(error, aiohttp.ConnectionTimeoutError):
        return f"no connection in {CONNECT_TIMEOUT_S:.0f} s"
    if isinstance(error, aiohttp.ClientConnectorCertificateError):
        return f"its certificate is not trusted ({in_one_line(error.certificate_error)}); SSL_CERT_FILE names your own"
    if isinstance(error, aiohttp.ClientConnectorSSLError):
        return f"no TLS there ({in_one_line(error.strerror or error)}); is it http:// ?"
    if isinstance(error, aiohttp.ClientConnectorError):
        return error.strerror or in_one_line(error)
    return ""


def _undecodable(error: Exception, shown: Callable[[str], str]) -> str:
    """What a reply is that cannot be read here; empty where it was cut or never came."""
    import aiohttp

    if isinstance(error, aiohttp.ClientResponseError):
        said = error.message
    elif isinstance(error, aiohttp.ClientPayloadError) and "content-encoding" in str(error).lower():
        said = str(error).partition("message:")[2] or str(error)
    else:
        return ""
    return f"a body that cannot be read ({shown(said.partition('. Please')[0])})"
