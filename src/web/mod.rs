//! The HTTP listener: router, sign-in, pages, API.
