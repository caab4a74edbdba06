//! The one maker of HTTP clients: timeouts, retries, which addresses may be reached.
