//! Who is who, and in what role.
