//! Migrations by the conventions of sqlx, Flyway, Rails, Alembic, Django, Diesel and goose.

pub(in crate::source) mod checksum;
pub(in crate::source) mod hosted;
pub(in crate::source) mod identity;
pub(in crate::source) mod undo;
